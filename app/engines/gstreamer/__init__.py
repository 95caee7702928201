"""The GStreamer fence. Runs only as `python -m app.worker.worker`; no package above imports it."""
