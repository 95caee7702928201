"""Limits that the web process sets for itself: no core files, and as many open files as it may have."""

from __future__ import annotations

import resource
from typing import Final

# Two descriptors per worker, one per connection. More than this limit is a leak.
OPEN_FILES_WANTED: Final = 65_536


def limit_process() -> None:
    """Set both limits of this process. Children inherit them, and workers lower theirs again."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would contain the keys
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES_WANTED if hard == resource.RLIM_INFINITY else min(OPEN_FILES_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
