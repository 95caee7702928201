"""The base class of the parts of a spec."""

from __future__ import annotations

import msgspec


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A frozen part of a spec that refuses fields it does not know."""
