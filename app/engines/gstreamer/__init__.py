"""The GStreamer fence. Runs only as `python -m app.worker.worker`; nobody above imports it."""
