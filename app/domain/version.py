"""The version of this program, for `mcr --version`, the API and the package."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.2.0"
