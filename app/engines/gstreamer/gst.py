"""The only place that imports gi. Importing this module initialises GStreamer."""

from __future__ import annotations

from types import ModuleType

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gio, GLib, Gst, GstApp  # noqa: E402 - versions must be chosen first

Gst.init(None)

__all__ = ["GLib", "Gio", "Gst", "GstApp", "load_mpegts"]


def load_mpegts() -> ModuleType:
    """Return GstMpegts, which only colour bars need. Not loading it saves other workers memory."""
    gi.require_version("GstMpegts", "1.0")
    from gi.repository import GstMpegts

    GstMpegts.initialize()
    return GstMpegts
