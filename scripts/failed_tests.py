"""Prints the tests that pytest's cache holds as failed, one a line: `failed_tests.py CACHE_FOLDER`."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    """Print nothing when the last run had no failure."""
    failures = Path(sys.argv[1]) / "v" / "cache" / "lastfailed"
    if failures.exists():
        sys.stdout.writelines(f"{name}\n" for name in sorted(json.loads(failures.read_text())))


if __name__ == "__main__":
    main()
