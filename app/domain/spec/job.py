"""The specs that a worker can carry, and the choice of an engine."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, assert_never

from app.domain.spec.receive import ReceiveSpec
from app.domain.spec.relay import RelaySpec
from app.domain.spec.send import SendEngine, SendSpec
from app.domain.spec.source import BarsSource

JobSpec = SendSpec | ReceiveSpec | RelaySpec


class Engine(StrEnum):
    """The engine that carries a job."""

    GSTREAMER = "gstreamer"
    DIRECT = "direct"
    RECEIVER = "receiver"
    RELAY = "relay"


# The engines of this version. An order for another engine is refused.
AVAILABLE: Final = frozenset(Engine)


def engine_of(spec: JobSpec) -> Engine:
    """Choose the engine that carries a spec."""
    match spec:
        case SendSpec():
            return _sending_engine(spec.engine)
        case ReceiveSpec():
            return Engine.RECEIVER
        case RelaySpec():
            return Engine.RELAY
        case _:
            assert_never(spec)


def _sending_engine(asked: SendEngine) -> Engine:
    match asked:
        case "auto" | "gstreamer":
            return Engine.GSTREAMER
        case "direct":
            return Engine.DIRECT
        case _:
            assert_never(asked)


def problem_with_engine(spec: JobSpec) -> dict[str, str]:
    """Name the field that selects an engine that cannot carry the spec; empty when it can."""
    engine = engine_of(spec)
    if engine is Engine.DIRECT and isinstance(spec, SendSpec) and isinstance(spec.source, BarsSource):
        return {"engine": "colour bars are made by GStreamer; choose gstreamer or auto"}
    if engine in AVAILABLE:
        return {}
    field = "engine" if isinstance(spec, SendSpec) else "direction"
    return {field: f"this version has no {engine.value} engine; choose another"}


def latency_ms_of(spec: JobSpec) -> int | None:
    """Return the SRT latency of a spec; None for a relay, which has none."""
    match spec:
        case SendSpec() | ReceiveSpec():
            return spec.latency_ms
        case RelaySpec():
            return None
        case _:
            assert_never(spec)
