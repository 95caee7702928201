"""The direct engine: libsrt with source timestamps, without GStreamer."""
