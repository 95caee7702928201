"""Describes each setting once: the `Annotated` type of its field has range, unit, title, help and rule.

Parsing, the form and its bounds, the command line, the API's description and the documentation use this description.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from math import inf
from types import UnionType
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

Rule = Callable[[Any], str | None]


class Kind(StrEnum):
    """How a setting is entered."""

    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"
    TEXT = "text"


def setting(
    title: str,
    description: str = "",
    *,
    low: int | None = None,
    high: int | None = None,
    unit: str = "",
    rule: Rule | None = None,
    is_advanced: bool = False,
) -> Meta:
    """Describe a field. `rule` returns what is wrong with a value of the right type, or None.

    The form shows an advanced setting only on request.
    """
    extra = {"unit": unit, "rule": rule, "is_advanced": is_advanced}
    return Meta(title=title, description=description or None, ge=low, le=high, extra=extra)


class Setting(msgspec.Struct, frozen=True):
    """The description of a field; `default` is None if it is required or may be empty."""

    name: str
    kind: Kind
    title: str = ""
    description: str = ""
    low: int | None = None
    high: int | None = None
    unit: str = ""
    rule: Rule | None = None
    is_advanced: bool = False
    is_optional: bool = False
    choices: tuple[str, ...] = ()
    default: Any = None

    def bounds_text(self) -> str:
        """Return the range with its unit, such as `20 to 8000 ms`; empty without a range."""
        if self.low is None or self.high is None:
            return ""
        return f"{self.low} to {self.high}{f' {self.unit}' if self.unit else ''}"

    def problem_with(self, value: object) -> str | None:
        """Say what is wrong with a value of the right type, or None."""
        low = -inf if self.low is None else self.low
        high = inf if self.high is None else self.high
        if isinstance(value, int) and not low <= value <= high:
            return f"{value} is outside {self.bounds_text()}"
        return None if self.rule is None else self.rule(value)


def setting_of(annotation: Any, name: str = "") -> Setting | None:
    """Return the description in an annotation; None without one."""
    for meta in getattr(annotation, "__metadata__", ()):
        if isinstance(meta, Meta) and meta.title:
            extra = meta.extra or {}
            return Setting(
                name=name,
                kind=_kind_of(bare(annotation)),
                title=meta.title,
                description=meta.description or "",
                low=None if meta.ge is None else int(meta.ge),
                high=None if meta.le is None else int(meta.le),
                unit=extra.get("unit", ""),
                rule=extra.get("rule"),
                is_advanced=bool(extra.get("is_advanced")),
                is_optional=type(None) in get_args(bare(annotation)),
                choices=tuple(map(str, get_args(bare(annotation)))) if get_origin(bare(annotation)) is Literal else (),
            )
    return None


def settings_of(part: type[msgspec.Struct]) -> dict[str, Setting]:
    """Return the described fields of a part of a spec by name, with their defaults."""
    found = {}
    for field in msgspec.structs.fields(part):
        if (described := setting_of(field.type, field.name)) is not None:
            default = None if field.default is msgspec.NODEFAULT else field.default
            found[field.name] = msgspec.structs.replace(described, default=default)
    return found


def bare(annotation: Any) -> Any:
    """Return the annotation's type without its bounds, so that our own message names a value outside them."""
    return get_args(annotation)[0] if getattr(annotation, "__metadata__", ()) else annotation


def _kind_of(kind: Any) -> Kind:
    if isinstance(kind, UnionType):
        kind = next(inner for inner in get_args(kind) if inner is not type(None))
    if kind is bool:
        return Kind.SWITCH
    if kind is int:
        return Kind.NUMBER
    return Kind.CHOICE if get_origin(kind) is Literal else Kind.TEXT
