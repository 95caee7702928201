"""The version of this program, which `mcr --version`, the API and the package report."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.2.0"
