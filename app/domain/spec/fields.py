"""How a setting is described, once: its range, unit, title, help and rule stand in the `Annotated` of its field.

Parsing, the form with its HTML bounds, the command line, the API's description and the documentation read it there.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, get_args

import msgspec
from msgspec import Meta

Rule = Callable[[Any], str | None]


def setting(
    title: str,
    description: str = "",
    *,
    low: int | None = None,
    high: int | None = None,
    unit: str = "",
    rule: Rule | None = None,
) -> Meta:
    """Describe a field. `rule` returns what is wrong with a value of the right type, or None."""
    return Meta(title=title, description=description or None, ge=low, le=high, extra={"unit": unit, "rule": rule})


class Setting(msgspec.Struct, frozen=True):
    """A field as it was described."""

    title: str = ""
    description: str = ""
    low: int | None = None
    high: int | None = None
    unit: str = ""
    rule: Rule | None = None
    default: Any = None

    def bounds_text(self) -> str:
        """The range with its unit, as `20 to 8000 ms`."""
        return f"{self.low} to {self.high}{f' {self.unit}' if self.unit else ''}"

    def _low(self) -> float:
        return -inf if self.low is None else self.low

    def _high(self) -> float:
        return inf if self.high is None else self.high

    def problem_with(self, value: object) -> str | None:
        """Say what is wrong with a value of the right type, or None."""
        if isinstance(value, int) and not self._low() <= value <= self._high():
            return f"{value} is outside {self.bounds_text()}"
        return None if self.rule is None else self.rule(value)


def setting_of(annotation: Any) -> Setting:
    """The description that stands in an annotation; an empty one where there is none."""
    for meta in getattr(annotation, "__metadata__", ()):
        if isinstance(meta, Meta):
            extra = meta.extra or {}
            return Setting(
                title=meta.title or "",
                description=meta.description or "",
                low=None if meta.ge is None else int(meta.ge),
                high=None if meta.le is None else int(meta.le),
                unit=extra.get("unit", ""),
                rule=extra.get("rule"),
            )
    return Setting()


def settings_of(part: type[msgspec.Struct]) -> dict[str, Setting]:
    """The described fields of a part of a spec, by name, with their defaults (None where the field is required)."""
    return {
        field.name: msgspec.structs.replace(
            setting_of(field.type), default=None if field.default is msgspec.NODEFAULT else field.default
        )
        for field in msgspec.structs.fields(part)
    }


def bare(annotation: Any) -> Any:
    """The annotation's type without its bounds, so that a value outside them still converts and is judged by us."""
    return get_args(annotation)[0] if getattr(annotation, "__metadata__", ()) else annotation
