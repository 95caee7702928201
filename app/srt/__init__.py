"""libsrt through ctypes, without GStreamer."""
