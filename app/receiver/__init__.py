"""Receives SRT through `app.srt`, without GStreamer. The receive engine and `mcr probe` use it."""
