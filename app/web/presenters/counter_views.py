"""Views with every counter, made from the counters' definitions: a new counter is in every answer at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from app.domain.figures import counters
from app.domain.figures.counters import ConnectionCounters


class View(msgspec.Struct, frozen=True, kw_only=True):
    """An answer or a part of one."""


V = TypeVar("V", bound=View)


def described(text: str) -> Meta:
    """Return the definition of a figure, for the API's description and for hover texts."""
    return Meta(description=text)


def with_counters(view: type[V], kind: type[ConnectionCounters]) -> type[V]:
    """Return `view` with a field for each counter of `kind`, named without `_total`."""
    counted = counters.described(kind).items()
    return with_fields(view, [(counters.short_name(name), Annotated[int, meta]) for name, meta in counted])


def with_fields(view: type[V], fields: Sequence[tuple[str, Any]]) -> type[V]:
    """Return `view` with more fields, each a name and a type."""
    name = f"{view.__name__.lstrip('_')}View"
    space = {"__doc__": view.__doc__}
    return msgspec.defstruct(  # type: ignore[return-value]
        name, fields, bases=(view,), frozen=True, kw_only=True, module=view.__module__, namespace=space
    )


def fill(view: type[V], counted: ConnectionCounters, **figures: Any) -> V:
    """Return a view made by `with_counters` with its counters and other figures."""
    names = view.__struct_fields__
    known = {counters.short_name(name): value for name, value in counters.values(counted).items()}
    return view(**{name: value for name, value in known.items() if name in names}, **figures)


def definitions(view: type[View]) -> dict[str, str]:
    """Return the definitions of a view's figures by field name, for hover texts."""
    found = {}
    for field in msgspec.structs.fields(view):
        for meta in getattr(field.type, "__metadata__", ()):
            if isinstance(meta, Meta) and meta.description:
                found[field.name] = meta.description
    return found
