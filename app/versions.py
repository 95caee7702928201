"""Which GStreamer and libsrt run here, and whether a version is known to be bad.

The web process loads neither, so a child is asked, once, in the background: no page waits for it.
"""

from __future__ import annotations

import re
import shutil
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from app.probes.run import Outcome, ProbeFailed, run
from app.settings import PROJECT_FOLDER

# CVE-2026-55868 and -55869 are mended in libsrt 1.5.7 and in Debian 12's 1.5.1-1+deb12u2.
_LIBSRT_MENDED: Final = (1, 5, 7)
_LIBSRT_CVES: Final = "CVE-2026-55868 and CVE-2026-55869"
_DEBIAN_12_MENDED: Final = 2
_TIMEOUT_S: Final = 20.0
# Each group of programs that can stand in for each other, and what does not work without any of them.
_PROGRAMS: Final = {
    ("ping",): "the network test cannot measure RTT",
    ("iperf3",): "the network test cannot measure bandwidth and loss",
    ("ffprobe", "mediainfo"): "media details lack resolution, profile and audio format",
}


class Versions(msgspec.Struct, frozen=True):
    """What runs here. None: not known (yet). `libsrt_package` is the distribution's full version where there is one."""

    gstreamer: str | None = None
    libsrt: str | None = None
    libsrt_package: str | None = None


class VersionReader:
    """Asks once, on the first reading, in a thread of its own."""

    def __init__(self, ask: Callable[[], Versions] | None = None) -> None:
        self._ask = ask or ask_versions
        self._lock = threading.Lock()
        self._is_asking = False
        self._known = Versions()

    def read(self) -> Versions:
        """What is known by now; never waits."""
        with self._lock:
            if not self._is_asking:
                self._is_asking = True
                threading.Thread(target=self._find_out, name="versions", daemon=True).start()
            return self._known

    def _find_out(self) -> None:
        known = self._ask()
        with self._lock:
            self._known = known


def ask_versions() -> Versions:
    """Ask the engine and the package system; what does not answer stays unknown."""
    asked = _run_json(["env", "-C", str(PROJECT_FOLDER), sys.executable, "-m", "app.engine.versions"])
    return Versions(
        gstreamer=asked.get("gstreamer"), libsrt=asked.get("libsrt"), libsrt_package=_libsrt_package() or None
    )


def warnings_about(versions: Versions) -> list[str]:
    """What an operator should know of these versions, a sentence each."""
    if versions.libsrt is None or _is_mended(versions.libsrt, versions.libsrt_package):
        return []
    return [
        f"libsrt {versions.libsrt} lacks the fixes of {_LIBSRT_CVES} (1.5.7, or Debian 12's 1.5.1-1+deb12u2). "
        "Update it before listeners face the internet."
    ]


def missing_programs(which: Callable[[str], str | None] = shutil.which) -> list[str]:
    """Programs that are not installed, with what does not work without them, a sentence each."""
    return [
        f"{' or '.join(names)} is not installed: {lack}."
        for names, lack in _PROGRAMS.items()
        if all(which(name) is None for name in names)
    ]


def _is_mended(libsrt: str, package: str | None) -> bool:
    revision = re.search(r"1\.5\.1-1\+deb12u([0-9]+)", package or "")
    if revision and int(revision[1]) >= _DEBIAN_12_MENDED:
        return True
    return tuple(int(part) for part in libsrt.split(".")) >= _LIBSRT_MENDED


def _libsrt_package() -> str:
    outcome = _run(["dpkg-query", "--show", "--showformat", "${Version}\n", "libsrt1.5-gnutls"])
    return outcome.text().strip() if outcome and outcome.returncode == 0 else ""


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
