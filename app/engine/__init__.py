"""The GStreamer fence. Runs only as `python -m app.engine.worker`; nobody above imports it."""
