"""The GStreamer engine. Runs only as `python -m app.worker.worker`; no package above imports it."""
