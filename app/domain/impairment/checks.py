"""The rules of an impairment that a type cannot express. A problem names the wrong field and the remedy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec import inspect

from app.domain.impairment.model import (
    EVENTS_MAX,
    Bounds,
    Bursts,
    DirectionImpairment,
    Impairment,
    OutageEvent,
    PeriodicOutage,
    RebindEvent,
    RouteFlap,
)
from app.domain.impairment.model import FourProbabilities as Four

_STRUCTS: Final = (Bursts, Four, PeriodicOutage, RouteFlap, DirectionImpairment, OutageEvent, RebindEvent, Impairment)
PROFILE_NAME_MAX: Final = 80


def problems_with(impairment: Impairment, prefix: str = "impairment") -> dict[str, str]:
    """Name every field that is wrong, as a dotted path after `prefix`, with the reason and the remedy."""
    found = {f"{prefix}.{path}": text for path, text in _outside_bounds(impairment, "")}
    if len(impairment.events) > EVENTS_MAX:
        found[f"{prefix}.events"] = f"{len(impairment.events)} events; list {EVENTS_MAX} at most"
    if impairment.profile is not None and not 1 <= len(impairment.profile) <= PROFILE_NAME_MAX:
        found[f"{prefix}.profile"] = f"a profile's name has 1 to {PROFILE_NAME_MAX} characters"
    for name, direction in (("to_target", impairment.to_target), ("to_caller", impairment.to_caller)):
        if direction is not None:
            for path, text in _between_fields(direction, impairment.event_speed):
                found.setdefault(f"{prefix}.{name}.{path}", text)
    return found


def problem_with_outage(for_ms: float) -> str | None:
    """Say what is wrong with the length of an outage that is ordered now, or None."""
    return _problem(for_ms, _BOUNDS[OutageEvent]["for_ms"])


def bounds_of(kind: type[msgspec.Struct]) -> Mapping[str, Bounds]:
    """Return the bounds of a part's figures by field, for forms and descriptions."""
    return _BOUNDS[kind]


def _outside_bounds(part: msgspec.Struct, path: str) -> Iterator[tuple[str, str]]:
    bounds = _BOUNDS[type(part)]
    for name in part.__struct_fields__:
        value = getattr(part, name)
        here = f"{path}.{name}" if path else name
        if isinstance(value, msgspec.Struct):
            yield from _outside_bounds(value, here)
        elif isinstance(value, list):
            for position, entry in enumerate(value[:EVENTS_MAX]):
                yield from _outside_bounds(entry, f"{here}.{position}")
        elif name in bounds and value is not None and (problem := _problem(value, bounds[name])):
            yield here, problem


def _problem(value: float, bounds: Bounds) -> str | None:
    if math.isfinite(value) and bounds.low <= value <= bounds.high:
        return None
    unit = f" {bounds.unit}" if bounds.unit else ""
    return f"{value:g} is outside {bounds.low:g} to {bounds.high:g}{unit}; enter a figure within this range"


def _between_fields(direction: DirectionImpairment, speed: float) -> Iterator[tuple[str, str]]:
    outage, bursts = direction.outage, direction.bursts
    if outage is not None and speed > 0 and outage.every_s > 0 and outage.for_ms >= outage.every_s / speed * 1000:
        yield (
            "outage.for_ms",
            f"an outage of {outage.for_ms:g} ms every {outage.every_s / speed:g} s never ends; "
            "make it shorter or less frequent",
        )
    # Gilbert: good to bad = loss / (burst x (1 - loss)), a probability, so it cannot exceed 1.
    if isinstance(bursts, Bursts) and bursts.loss_percent > (100 - bursts.loss_percent) * bursts.mean_burst:
        yield (
            "bursts.loss_percent",
            f"{bursts.loss_percent:g} % cannot be lost in bursts of {bursts.mean_burst:g} datagrams; "
            "lower the loss or lengthen the bursts",
        )


def _bounds_of_fields(kind: type[msgspec.Struct]) -> dict[str, Bounds]:
    described = inspect.type_info(kind)
    fields = described.fields if isinstance(described, inspect.StructType) else ()
    return {field.name: found for field in fields if (found := _bounds_in(field.type)) is not None}


def _bounds_in(kind: inspect.Type) -> Bounds | None:
    if isinstance(kind, inspect.UnionType):
        return next((found for part in kind.types if (found := _bounds_in(part)) is not None), None)
    if isinstance(kind, inspect.Metadata):
        extra = kind.extra or {}
        return extra.get("bounds")
    return None


_BOUNDS: Final[dict[type[msgspec.Struct], dict[str, Bounds]]] = {kind: _bounds_of_fields(kind) for kind in _STRUCTS}
