"""Finds the versions of GStreamer and libsrt, and whether they are known to be bad.

The web process loads neither, so a child process reads them once, in the background: no page waits for it.
"""

from __future__ import annotations

import gzip
import re
import shutil
import sys
import threading
import zlib
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from app.jobs.runner import JobRunner
from app.probes.run import Outcome, ProbeFailed, run
from app.settings import PROJECT_FOLDER

# Distributions fix an old version without changing its number; their packages' change logs list the fixes.
_LIBSRT_FIXED: Final = (1, 5, 7)
_LIBSRT_CVES: Final = ("CVE-2026-55868", "CVE-2026-55869")
# The first fixed package of each Debian release, for hosts that were set up without change logs.
_DEBIAN_FIXED: Final = {"1.5.1-1+deb12u": 2, "1.5.4-1+deb13u": 1}
_CHANGELOGS: Final = Path("/usr/share/doc")
_TIMEOUT_S: Final = 20.0
# Groups of programs that can replace one another, and what does not work without any of the group.
_PROGRAMS: Final = {
    ("ping",): "the network test cannot measure RTT",
    ("iperf3",): "the network test cannot measure bandwidth and loss",
    ("ffprobe", "mediainfo"): "media details lack resolution, profile and audio format",
}


_NO_GI: Final = "python3-gi is not installed: the engine GStreamer cannot run. Install it with ./run.sh."


class Versions(msgspec.Struct, frozen=True):
    """The versions in use. None: not known (yet).

    `libsrt_package` is the distribution's full version, if any. `libsrt_fixes` lists the CVEs that its change log names
    as fixed. `is_known` is False until all answers have come.
    """

    gstreamer: str | None = None
    libsrt: str | None = None
    libsrt_package: str | None = None
    libsrt_fixes: frozenset[str] = frozenset()
    ffmpeg: str | None = None
    is_known: bool = False


class VersionReader:
    """Reads the versions once, at the first request, in the background."""

    def __init__(self, ask: Callable[[], Versions] | None = None) -> None:
        self._ask = ask or ask_versions
        self._lock = threading.Lock()
        self._is_asked = False
        self._known = Versions()
        self._jobs = JobRunner("versions")

    def read(self) -> Versions:
        """Return what is known by now; never waits."""
        with self._lock:
            if not self._is_asked:
                self._is_asked = True
                self._jobs.submit(self._find_out)
            return self._known

    def _find_out(self) -> None:
        known = self._ask()
        with self._lock:
            self._known = known


def ask_versions() -> Versions:
    """Query the engine and the package system; a version without an answer stays unknown."""
    asked = _run_json(["env", "-C", str(PROJECT_FOLDER), sys.executable, "-m", "app.engines.gstreamer.versions"])
    package, fixes = _debian_package() or _rpm_package() or (None, frozenset[str]())
    return Versions(
        gstreamer=asked.get("gstreamer"),
        libsrt=asked.get("libsrt"),
        libsrt_package=package,
        libsrt_fixes=fixes,
        ffmpeg=_ffmpeg(),
        is_known=True,
    )


def warnings_about(versions: Versions) -> list[str]:
    """Return warnings for the operator about these versions, one sentence each."""
    if versions.libsrt is None or _is_fixed(versions):
        return []
    package = f" (package {versions.libsrt_package})" if versions.libsrt_package else ""
    return [
        f"libsrt {versions.libsrt}{package} lacks the fixes of {' and '.join(_LIBSRT_CVES)}. "
        "Update it before listeners face the internet."
    ]


def remark_on_libsrt(versions: Versions) -> str | None:
    """Say in a few words whether the known holes of libsrt are closed; None if that is not known."""
    if versions.libsrt is None:
        return None
    return f"{'has' if _is_fixed(versions) else 'lacks'} the fixes of {' and '.join(_LIBSRT_CVES)}"


def missing_programs(
    which: Callable[[str], str | None] = shutil.which, find_module: Callable[[str], object | None] = find_spec
) -> list[str]:
    """Name programs and modules that are not installed and what does not work without them, one sentence each."""
    programs = [
        f"{' or '.join(names)} is not installed: {lack}."
        for names, lack in _PROGRAMS.items()
        if all(which(name) is None for name in names)
    ]
    return programs if find_module("gi") is not None else [_NO_GI, *programs]


def _is_fixed(versions: Versions) -> bool:
    revision = re.fullmatch(r"(.+\+deb\d+u)(\d+)", versions.libsrt_package or "")
    if revision and int(revision[2]) >= _DEBIAN_FIXED.get(revision[1], sys.maxsize):
        return True
    if versions.libsrt_fixes.issuperset(_LIBSRT_CVES):
        return True
    return tuple(int(part) for part in (versions.libsrt or "0").split(".")) >= _LIBSRT_FIXED


def _ffmpeg() -> str | None:
    outcome = _run(["ffmpeg", "-version"])
    found = re.match(r"ffmpeg version (\S+)", outcome.text()) if outcome else None
    return found[1] if found else None


def _debian_package() -> tuple[str, frozenset[str]] | None:
    """Return the installed libsrt package that GStreamer uses, and the fixes that its change log names."""
    shown = "${db:Status-Status} ${Package} ${Version}\n"
    outcome = _run(["dpkg-query", "--show", "--showformat", shown, "libsrt1*-gnutls*"])
    for line in outcome.text().splitlines() if outcome else ():
        if line.startswith("installed "):
            _, name, version = line.split()
            return version, _cves_in(_read_changelog(_CHANGELOGS / name / "changelog.Debian.gz"))
    return None


def _rpm_package() -> tuple[str, frozenset[str]] | None:
    outcome = _run(["rpm", "--query", "--queryformat", "%{VERSION}-%{RELEASE}\n", "--changelog", "srt-libs"])
    if outcome is None or outcome.returncode != 0:
        return None
    return outcome.text().splitlines()[0], _cves_in(outcome.text())


def _read_changelog(path: Path) -> str:
    """Return the text of a change log, empty if the host has none."""
    try:
        return gzip.decompress(path.read_bytes()).decode(errors="replace")
    except (OSError, EOFError, zlib.error):
        return ""


def _cves_in(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"CVE-\d{4}-\d+", text))


def _run_json(argv: Sequence[str]) -> dict[str, str | None]:
    outcome = _run(argv)
    if outcome is None or outcome.returncode != 0:
        return {}
    try:
        return msgspec.json.decode(outcome.stdout, type=dict[str, str | None])
    except msgspec.DecodeError:
        return {}


def _run(argv: Sequence[str]) -> Outcome | None:
    try:
        return run(argv, timeout_s=_TIMEOUT_S)
    except ProbeFailed:
        return None
