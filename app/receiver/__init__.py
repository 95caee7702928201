"""Receives SRT through `app.srt`, without GStreamer: the receive engine and the command line's probe share it."""
