"""Supervises worker processes: launch, adopt, watch, stop, back off, remember. No Flask, no GStreamer."""
