"""The names of the indicators of TR 101 290, spelled as in the document."""

from __future__ import annotations

from typing import Final

_ACRONYMS: Final = frozenset({"ts", "pat", "pmt", "pid", "crc", "pcr", "pts", "cat", "nit", "sdt", "eit", "pf", "tdt"})


def indicator_title(name: str) -> str:
    """Return an indicator's name as ETSI TR 101 290 spells it: `PAT_error_2` for `pat_error_2`."""
    first, *rest = [word.upper() if word in _ACRONYMS else word for word in name.split("_")]
    return "_".join([first[0].upper() + first[1:], *rest])
