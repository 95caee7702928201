"""How long a test watches: short in the suite, as long as the requirement says with MCR_TEST_LONG=1."""

from __future__ import annotations

import os


def seconds(short: int, *, long: int) -> int:
    """The time to watch, in seconds."""
    return long if os.environ.get("MCR_TEST_LONG") == "1" else short
