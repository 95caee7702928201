"""The syntax trees of source files, each parsed once by each test process."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the syntax tree of a file, which a test must not change."""
    return ast.parse(path.read_text())
