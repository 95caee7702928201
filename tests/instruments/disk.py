"""A small disk that a test can fill up or make read-only: a tmpfs in its own mount namespace.

The namespace exists only as long as the process that this module keeps in it. No mount remains, however a test ends.
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
    """A disk mounted on a folder. Only programs started with `enter` see it: `with SmallDisk(folder) as disk`."""

    def __init__(self, folder: Path, *, size_kb: int = 4096) -> None:
        """Mount an empty disk of `size_kb` on `folder`."""
        self._folder = folder
        # `exec cat`: as soon as the keeper's process name is cat, the disk is mounted.
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
        """The command prefix with which a program sees the disk. The process id does not change."""
        return [*in_mounts_of(self._keeper.pid), "sh", "-c", 'cd "$0" && exec "$@"', str(Path.cwd())]

    def inside(self, path: Path) -> Path:
        """Return the path by which programs outside the namespace reach a path on the disk."""
        return Path(f"/proc/{self._keeper.pid}/root{path}")

    def fill_up(self) -> None:
        """Fill the disk to the last byte."""
        with self.inside(self._folder / _FILLER).open("ab", buffering=0) as filler:
            for size in (65536, 4096, 1):
                while _is_written(filler, size):
                    pass

    def make_room(self) -> None:
        """Free the space that `fill_up` used."""
        self.inside(self._folder / _FILLER).unlink()

    def remount(self, mode: str) -> None:
        """Remount the disk as `ro` or `rw`. The kernel refuses `ro` while a file on the disk is open for writing."""
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
