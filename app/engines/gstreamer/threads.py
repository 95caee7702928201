"""Helps Python code that runs in GStreamer's threads."""

from __future__ import annotations

import ctypes


def stay_attached() -> None:
    """Keep the Python state of the calling thread. Call it once in a thread that runs Python often.

    Otherwise Python makes a state for each call from a foreign thread and drops it afterwards. That costs 10 µs per
    call: at 50 Mb/s in datagrams of 1316 bytes, a third of what the whole stream costs. The state lives as long as the
    process.
    """
    ctypes.pythonapi.PyGILState_Ensure()
