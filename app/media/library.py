"""The media folder: which transport stream files it has, and whether a file can be sent.

Nothing outside the folder is ever opened: links are resolved first and judged by their targets. `media.analysis` has
details that need the whole file.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import BinaryIO, Final

import msgspec

from app.domain.errors import InvalidInput
from app.domain.names import problem_with_media_path
from app.machine.straight_open import open_straight
from app.mpegts.inspect.first_look import MediaCheck, NotStreamable, first_look

HEAD_BYTES: Final = 4 * 1024 * 1024
TAIL_BYTES: Final = 1024 * 1024
ENTRIES_MAX: Final = 2000
DEPTH_MAX: Final = 16
# A listing checks new files for this long and leaves the rest to the next listing, so that the page stays fast.
CHECK_BUDGET_S: Final = 0.5
_CACHE_ENTRIES: Final = 4 * ENTRIES_MAX

FIELD: Final = "source.path"


class MediaFile(msgspec.Struct, frozen=True):
    """A file of a listing. `path` is relative to the media folder; `modified_at` is Unix time.

    `check` is None until the file was checked. `problem` says why the file cannot be streamed, None if it can.
    """

    name: str
    path: str
    size_bytes: int
    modified_at: float
    check: MediaCheck | None = None
    problem: str | None = None


class MediaSubfolder(msgspec.Struct, frozen=True):
    """A folder of a listing. `problem` says why it cannot be opened, None if it can."""

    name: str
    path: str
    problem: str | None = None


class MediaFolder(msgspec.Struct, frozen=True):
    """A folder's listing, in natural order. `parent` is None at the top. `left_out` counts entries above the limit."""

    path: str
    parent: str | None
    folders: tuple[MediaSubfolder, ...]
    files: tuple[MediaFile, ...]
    left_out: int = 0


class FileIdentity(msgspec.Struct, frozen=True):
    """Identifies one content of a file. While it is equal, earlier findings stay valid."""

    device: int
    inode: int
    size_bytes: int
    modified_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileIdentity:
        """Take the identity from a stat result."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


class MediaLibrary:
    """The transport stream files below one folder. Safe to use from several threads."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = Lock()
        # A file's verdict, good or bad, by its identity. Oldest first, so that the oldest can be dropped.
        self._verdicts: dict[FileIdentity, MediaCheck | NotStreamable] = {}

    @property
    def folder(self) -> Path:
        """Return the real path of the media folder. Raises InvalidInput if it is missing."""
        try:
            return self._folder.resolve(strict=True)
        except (OSError, RuntimeError):
            raise _refused("the media folder is missing; create it or set MEDIA_FOLDER") from None

    def resolve(self, path: str) -> Path:
        """Return the real path of a regular, readable, non-empty file in the media folder. Raises InvalidInput."""
        return self.identify(path)[0]

    def identify(self, path: str) -> tuple[Path, FileIdentity]:
        """Return the result of `resolve` and the identity of that file."""
        file, real = self._open(path)
        with file:
            return real, FileIdentity.of(os.fstat(file.fileno()))

    def check(self, path: str) -> MediaCheck:
        """Check the head and the tail of a file. Raises InvalidInput if it cannot be streamed."""
        file, _ = self._open(path)
        with file:
            verdict = self._verdict(file)
        if isinstance(verdict, NotStreamable):
            raise _refused(verdict.message)
        return verdict

    def list(self, path: str = "") -> MediaFolder:
        """List a folder's sub-folders and .ts files. Raises InvalidInput if there is no such folder.

        Hidden entries and links that leave the media folder are left out. Files not seen before are checked within
        a time budget; the rest comes with the next listing.
        """
        top = self.folder
        folder = self._folder_below(top, path)
        names, left_out = _names_in(folder)
        deadline = self._clock() + CHECK_BUDGET_S
        folders: list[MediaSubfolder] = []
        files: list[MediaFile] = []
        for name in names:
            entry, relative = folder / name, f"{path}/{name}".lstrip("/")
            status = _status_inside(entry, top)
            if status is None:
                continue
            if stat.S_ISDIR(status.st_mode):
                folders.append(MediaSubfolder(_shown(name), _shown(relative), _problem_with_folder(relative)))
            elif stat.S_ISREG(status.st_mode) and name.lower().endswith(".ts"):
                files.append(self._listed(relative, status, deadline))
        parent = None if not path else str(PurePosixPath(path).parent).removeprefix(".")
        return MediaFolder(path, parent, tuple(folders), tuple(files), left_out)

    def _open(self, path: str) -> tuple[BinaryIO, Path]:
        if problem := problem_with_media_path(path):
            raise _refused(problem)
        top = self.folder
        try:
            real = (top / path).resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise _refused(_why_not_there(error)) from None
        if not real.is_relative_to(top):
            raise _refused("this link points outside the media folder; copy the file into the folder")
        return _open_regular(real), real

    def _folder_below(self, top: Path, path: str) -> Path:
        if not path:
            return top
        if problem := _problem_with_folder(path):
            raise _refused(problem)
        try:
            real = (top / path).resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise _refused(_why_not_there(error)) from None
        if not real.is_relative_to(top) or not real.is_dir():
            raise _refused("there is no such folder in the media folder; choose it again from the top")
        return real

    def _listed(self, relative: str, status: os.stat_result, deadline: float) -> MediaFile:
        check, problem = None, problem_with_media_path(relative)
        if problem is None and status.st_size == 0:
            problem = _EMPTY
        if problem is None:
            verdict = self._known(FileIdentity.of(status))
            try:
                if verdict is None and self._clock() < deadline:
                    check = self.check(relative)
                elif isinstance(verdict, NotStreamable):
                    problem = verdict.message
                else:
                    check = verdict
            except InvalidInput as error:
                problem = error.fields[FIELD]
        name = PurePosixPath(relative).name
        return MediaFile(_shown(name), _shown(relative), status.st_size, status.st_mtime, check, problem)

    def _known(self, identity: FileIdentity) -> MediaCheck | NotStreamable | None:
        with self._lock:
            return self._verdicts.get(identity)

    def _verdict(self, file: BinaryIO) -> MediaCheck | NotStreamable:
        identity = FileIdentity.of(os.fstat(file.fileno()))
        if known := self._known(identity):
            return known
        verdict = _look_at(file, identity.size_bytes)
        with self._lock:
            self._verdicts[identity] = verdict
            while len(self._verdicts) > _CACHE_ENTRIES:
                del self._verdicts[next(iter(self._verdicts))]
        return verdict


NO_SUCH_FILE: Final = "there is no such file in the media folder; choose another"
_EMPTY: Final = "the file is empty; copy it again"


def _refused(text: str) -> InvalidInput:
    return InvalidInput.of({FIELD: text})


def _why_not_there(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else errno.ELOOP
    if number == errno.ELOOP:
        return "this is a link to itself; replace it with the file"
    if number in (errno.EACCES, errno.EPERM):
        return "this program's user may not read the file; change its permissions"
    return NO_SUCH_FILE


def _open_regular(real: Path) -> BinaryIO:
    """Open a file after all its links were resolved. Never waits for anything that is not a regular file."""
    try:
        descriptor = open_straight(real, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise _refused(_why_not_there(error)) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
        os.close(descriptor)
        raise _refused(_EMPTY if stat.S_ISREG(status.st_mode) else "this is not a file; choose a transport stream file")
    return os.fdopen(descriptor, "rb", buffering=0)


def _look_at(file: BinaryIO, size_bytes: int) -> MediaCheck | NotStreamable:
    tail_offset = max(HEAD_BYTES, size_bytes - TAIL_BYTES)
    try:
        head = os.pread(file.fileno(), HEAD_BYTES, 0)
        tail = os.pread(file.fileno(), TAIL_BYTES, tail_offset)
    except OSError as error:
        raise _refused(f"the file cannot be read ({error.strerror}); check its disk") from None
    try:
        return first_look(head, tail, size_bytes=size_bytes, tail_offset=tail_offset)
    except NotStreamable as verdict:
        # A new exception, because the traceback of the raised one would keep `head` and `tail` in memory.
        return NotStreamable(verdict.reason, verdict.message)


def _names_in(folder: Path) -> tuple[list[str], int]:
    """Return the visible names of a folder in natural order, and how many above the limit were left out."""
    try:
        names = [entry.name for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise _refused(f"the folder cannot be read ({error.strerror}); check its permissions") from None
    names.sort(key=_natural)
    return names[:ENTRIES_MAX], max(0, len(names) - ENTRIES_MAX)


def _natural(name: str) -> tuple[list[tuple[int, int | str]], str]:
    """Return a key that sorts `clip 2` before `Clip 10`: digits by their value, other characters without case."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part], name


def _status_inside(entry: Path, top: Path) -> os.stat_result | None:
    """Return the status of an entry whose links stay below `top`; None if they do not, or if it is gone."""
    try:
        real = entry.resolve(strict=True)
        return real.stat() if real.is_relative_to(top) else None
    except (OSError, RuntimeError):
        return None


def _problem_with_folder(path: str) -> str | None:
    if len(PurePosixPath(path).parts) > DEPTH_MAX:
        return f"folders are listed {DEPTH_MAX} deep at most; move the files up"
    # A folder's name has to satisfy the rules for the paths of its files.
    return problem_with_media_path(f"{path}/x.ts")


def _shown(name: str) -> str:
    """Return a name that JSON can encode: bytes that are not UTF-8 become a replacement character."""
    return name.encode(errors="surrogateescape").decode(errors="replace")
