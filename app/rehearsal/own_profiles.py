"""The impairment profiles of this installation."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from app.domain.impairment.own_profiles import OWN_MAX, parse_profiles
from app.domain.impairment.profiles import Profile
from app.machine.named_entries import Kind, NamedEntries

_KIND: Final = Kind("own profile", "own profiles", "profiles", OWN_MAX)


class OwnProfiles(NamedEntries[Profile]):
    """Keeps the own profiles."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _KIND, parse_profiles)
