"""Names missing GStreamer elements and their packages: `python -m app.engines.gstreamer.check_elements`.

Exits with 1 if streams cannot go on air, and with 0 and a warning if only colour bars and the sample are affected. Runs
as a child process, because the web process never loads GStreamer.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping, Set
from typing import Final

from app.engines.gstreamer.gst import Gst

_BAD: Final = "gstreamer1.0-plugins-bad"
_GOOD: Final = "gstreamer1.0-plugins-good"
_BASE: Final = "gstreamer1.0-plugins-base"
_CORE: Final = "libgstreamer1.0-0"

# Element -> the Debian and Ubuntu package that ships it.
ON_AIR: Final[Mapping[str, str]] = {
    "appsrc": _BASE,
    "fakesink": _CORE,
    "filesrc": _CORE,
    "queue": _CORE,
    "rtpmp2tdepay": _GOOD,
    "srtsink": _BAD,
    "tsparse": _BAD,
    "udpsrc": _GOOD,
}
BARS: Final[Mapping[str, str]] = {
    "audiotestsrc": _BASE,
    "capsfilter": _CORE,
    "clockoverlay": "gstreamer1.0-x",
    "filesink": _CORE,
    "h264parse": _BAD,
    "mpegaudioparse": _GOOD,
    "mpegtsmux": _BAD,
    "textoverlay": "gstreamer1.0-x",
    "timeoverlay": "gstreamer1.0-x",
    "twolamemp2enc": _GOOD,
    "videotestsrc": _BASE,
    "x264enc": "gstreamer1.0-plugins-ugly",
}
_RED_HAT: Final = frozenset({"rhel", "fedora", "centos"})


def missing_elements(wanted: Mapping[str, str]) -> list[str]:
    """Return the names in `wanted` that this GStreamer does not have."""
    return [name for name in wanted if Gst.ElementFactory.find(name) is None]


def remedy(element: str, distribution: Set[str]) -> str:
    """Return the command that installs an element on a distribution."""
    if _RED_HAT & distribution:
        return f"dnf install 'gstreamer1(element-{element})()(64bit)'"
    return f"apt-get install {({**ON_AIR, **BARS})[element]}"


def distribution() -> set[str]:
    """Return the names of this distribution and of its ancestors, as os-release(5) spells them."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return set()
    return {release.get("ID", ""), *release.get("ID_LIKE", "").split()}


def main() -> int:
    """Check all elements and print what is wrong."""
    here = distribution()
    fatal = missing_elements(ON_AIR)
    lines = [f"error: GStreamer has no element {name}: {remedy(name, here)}\n" for name in fatal]
    lines += [
        f"warning: no colour bars without the element {name}: {remedy(name, here)}\n" for name in missing_elements(BARS)
    ]
    sys.stderr.writelines(lines)
    return 1 if fatal else 0


if __name__ == "__main__":
    sys.exit(main())
