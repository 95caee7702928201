"""A receive stream as an engine of the worker, around `app.receiver`."""
