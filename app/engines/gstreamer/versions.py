"""Prints the versions of GStreamer and libsrt as JSON: `python -m app.engines.gstreamer.versions`.

Runs as a child process, because the web process never loads GStreamer.
"""

from __future__ import annotations

import json
import sys

from app.engines.gstreamer.gst import Gst
from app.srt.binding import SrtUnavailable, version_text


def main() -> None:
    """Print one JSON object; `libsrt` is null if the library cannot be found."""
    # Making the sink loads the library that the sink is linked to.
    sink = Gst.ElementFactory.make("srtsink")
    try:
        libsrt = version_text()
    except SrtUnavailable:
        libsrt = None
    gstreamer = ".".join(map(str, Gst.version()[:3]))
    json.dump({"gstreamer": gstreamer, "libsrt": libsrt if sink is not None else None}, sys.stdout)


if __name__ == "__main__":
    main()
