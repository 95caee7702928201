"""The duration of measurements: short by default; with MCR_TEST_LONG=1, as long and as strict as required."""

from __future__ import annotations

import os


def is_long() -> bool:
    """Whether the machine is idle and the tests may take their time."""
    return os.environ.get("MCR_TEST_LONG") == "1"


def seconds(short: int, *, long: int) -> int:
    """Return the duration of a measurement, in seconds."""
    return long if is_long() else short
