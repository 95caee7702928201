"""Writes a small file so that a reader, or a crash, never sees a part of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, body: bytes) -> None:
    """Replace `path` with `body`, readable for this user only. Raises OSError and then keeps the old file."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as unfinished:
        try:
            unfinished.write(body)
            unfinished.flush()
            os.fsync(unfinished.fileno())
            Path(unfinished.name).replace(path)
        except OSError:
            Path(unfinished.name).unlink(missing_ok=True)
            raise
