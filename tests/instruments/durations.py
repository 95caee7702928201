"""How long a test measures: short by default; as long and as strictly as required with MCR_TEST_LONG=1."""

from __future__ import annotations

import os


def is_long() -> bool:
    """Whether the machine is idle and the tests may take their time."""
    return os.environ.get("MCR_TEST_LONG") == "1"


def seconds(short: int, *, long: int) -> int:
    """The time to watch, in seconds."""
    return long if is_long() else short
