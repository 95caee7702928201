"""A receive stream: libsrt through `app.srt`, no GStreamer. The command line's probe uses the same receiver."""
