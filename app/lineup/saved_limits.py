"""The limits that this installation has saved under a name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from app.domain.lineup.limits import SAVED_MAX, SavedLimits, parse_saved_limits
from app.machine.named_entries import Kind, NamedEntries

_KIND: Final = Kind("set of limits", "sets of limits", "limits", SAVED_MAX)


class LimitsBook(NamedEntries[SavedLimits]):
    """Keeps the named limits."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _KIND, parse_saved_limits)
