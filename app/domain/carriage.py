"""Selects the engine of a send stream: the direct one for a source that GStreamer would change or lose."""

from __future__ import annotations

from collections.abc import Set
from enum import StrEnum
from typing import Final, assert_never

import msgspec

from app.domain.spec.job import Engine
from app.domain.spec.send import SendEngine, SendSpec
from app.domain.spec.source import BarsSource, FileSource, MulticastSource


class Hindrance(StrEnum):
    """What GStreamer's tsparse (1.22 and 1.26) does not carry unchanged."""

    SCRAMBLED = "scrambled"
    DAMAGED = "damaged"
    EMPTY_PAT = "empty_pat"
    PAT_CHANGES = "pat_changes"
    CLOCK_JUMPS = "clock_jumps"


_WHY: Final = {
    Hindrance.SCRAMBLED: "it has scrambled packets, which GStreamer discards",
    Hindrance.DAMAGED: "it has packets marked as damaged, which GStreamer discards",
    Hindrance.EMPTY_PAT: "it has a programme table (PAT) without programmes, at which GStreamer loses its clock",
    Hindrance.PAT_CHANGES: "its programme table (PAT) changes, at which GStreamer may lose its clock",
    Hindrance.CLOCK_JUMPS: "its clock (PCR) jumps, which GStreamer plays as a stall or a burst",
}


class Choice(msgspec.Struct, frozen=True):
    """The engine, and the reason in a sentence."""

    engine: Engine
    why: str


def choose_engine(spec: SendSpec, default: SendEngine, hindrances: Set[Hindrance]) -> Choice:
    """Choose the engine. `default` applies if the spec says auto, `hindrances` if `default` says auto too."""
    asked = spec.engine if spec.engine != "auto" else default
    source = spec.source
    if isinstance(source, BarsSource):
        return Choice(Engine.GSTREAMER, "Colour bars are made by GStreamer.")
    what = "The file" if isinstance(source, FileSource) else "The group"
    match asked:
        case "gstreamer":
            return Choice(Engine.GSTREAMER, f"Chosen.{_loss(what, hindrances)}")
        case "direct":
            return Choice(Engine.DIRECT, "Chosen.")
        case "auto":
            found = [_WHY[each] for each in Hindrance if each in hindrances]
            if found:
                return Choice(Engine.DIRECT, f"{what} uses the direct engine, because {found[0]}.")
            return Choice(Engine.GSTREAMER, f"GStreamer carries {what.lower()} unchanged.")
        case _:
            assert_never(asked)


def needs_a_look(spec: SendSpec, default: SendEngine) -> bool:
    """Whether the choice depends on the contents of a group, which only a program that receives it can see."""
    return isinstance(spec.source, MulticastSource) and (spec.engine, default) == ("auto", "auto")


def _loss(what: str, hindrances: Set[Hindrance]) -> str:
    found = [_WHY[each] for each in Hindrance if each in hindrances]
    return f" {what} loses packets with GStreamer: {found[0]}. The direct engine carries it." if found else ""
