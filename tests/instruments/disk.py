"""A small disk that a test can fill up or make read-only: a tmpfs in its own mount namespace.

The namespace lives as long as a process of ours in it, so that no mount is left behind however a test ends.
"""

from __future__ import annotations

import errno
import subprocess
from io import RawIOBase
from pathlib import Path
from typing import Final, Self

from tests.instruments.child import Child
from tests.instruments.own_mounts import IN_OWN_MOUNTS, in_mounts_of
from tests.instruments.waiting import wait_for

_FILLER: Final = "filler"


def _is_written(file: RawIOBase, size: int) -> bool:
    try:
        return bool(file.write(bytes(size)))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return False
        raise


class SmallDisk:
    """A disk mounted on a folder, seen only by programs started with `enter`: `with SmallDisk(folder) as disk`."""

    def __init__(self, folder: Path, *, size_kb: int = 4096) -> None:
        """Mount it, empty."""
        self._folder = folder
        # `exec cat`: the mount is there once the keeper is called cat.
        script = 'mount -t tmpfs -o "size=$1k" small "$2" && exec cat'
        self._keeper = Child([*IN_OWN_MOUNTS, "sh", "-c", script, "sh", str(size_kb), folder], first_line=b"")
        try:
            wait_for(self._is_mounted, deadline_s=10, what=f"a small disk; {self._keeper.complaints()}")
        except BaseException:
            self.close()
            raise

    def _is_mounted(self) -> bool:
        return Path(f"/proc/{self._keeper.pid}/comm").read_text().strip() == "cat"

    @property
    def enter(self) -> list[str]:
        """Return what to put before a command so that it sees the disk; the process keeps its id."""
        return [*in_mounts_of(self._keeper.pid), "sh", "-c", 'cd "$0" && exec "$@"', str(Path.cwd())]

    def inside(self, path: Path) -> Path:
        """A path on the disk, as it can be reached from outside."""
        return Path(f"/proc/{self._keeper.pid}/root{path}")

    def fill_up(self) -> None:
        """Fill the disk to the last byte."""
        with self.inside(self._folder / _FILLER).open("ab", buffering=0) as filler:
            for size in (65536, 4096, 1):
                while _is_written(filler, size):
                    pass

    def make_room(self) -> None:
        """Free what was filled."""
        self.inside(self._folder / _FILLER).unlink()

    def remount(self, mode: str) -> None:
        """Make it `ro` or `rw`. The kernel refuses `ro` while a file on it is open for writing."""
        argv = [*self.enter, "mount", "-o", f"remount,{mode}", str(self._folder)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr

    def close(self) -> None:
        """Unmount the disk."""
        self._keeper.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
