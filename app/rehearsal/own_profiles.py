"""The profiles of this installation, in one file of the data folder, where `mcr backup` finds them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from app.domain.errors import InvalidInput, LimitReached, NotFound, ProductError
from app.domain.impairment.own_profiles import OWN_MAX, parse_profiles
from app.domain.impairment.profiles import Profile
from app.machine.atomic_file import write_atomically

log = logging.getLogger(__name__)
_FILE_BYTES_MAX: Final = 4 * 1024 * 1024


class ProfilesNotKept(ProductError):
    """The disk refused; nothing was changed."""

    code = "store_unavailable"


class OwnProfiles:
    """Keeps the profiles of one file. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._profiles = {profile.name: profile for profile in _read(path)}

    def all(self) -> list[Profile]:
        """Every profile, by name."""
        with self._lock:
            return [self._profiles[name] for name in sorted(self._profiles)]

    def find(self, name: str) -> Profile | None:
        """A profile by name."""
        with self._lock:
            return self._profiles.get(name)

    def keep(self, profiles: Sequence[Profile]) -> None:
        """Add profiles, in place of those of the same names. Raises LimitReached and ProfilesNotKept."""
        with self._lock:
            after = self._profiles | {profile.name: profile for profile in profiles}
            if len(after) > OWN_MAX:
                raise LimitReached(f"{len(after)} own profiles; {OWN_MAX} are kept at most, remove some first")
            self._write(after)

    def remove(self, name: str) -> None:
        """Forget a profile. Raises NotFound and ProfilesNotKept."""
        with self._lock:
            if name not in self._profiles:
                raise NotFound(f"there is no own profile {name[:40]}")
            self._write({other: profile for other, profile in self._profiles.items() if other != name})

    def _write(self, profiles: dict[str, Profile]) -> None:
        try:
            write_atomically(self._path, msgspec.json.encode({"profiles": list(profiles.values())}))
        except OSError as error:
            raise ProfilesNotKept(f"the profiles cannot be kept: {error.strerror}") from None
        self._profiles = profiles


def _read(path: Path) -> list[Profile]:
    """The profiles of a file; a file that cannot be read is logged and left, until something is saved."""
    try:
        if path.stat().st_size > _FILE_BYTES_MAX:
            raise OSError(f"larger than {_FILE_BYTES_MAX} bytes")
        document = msgspec.json.decode(path.read_bytes())
        return parse_profiles(document) if document.get("profiles") else []
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError, InvalidInput, AttributeError) as error:
        log.warning("own impairment profiles not read file=%s error=%r", path, str(error))
        return []
