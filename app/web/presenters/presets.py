"""Presets and far ends in the API's form."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from app.domain.json_value import JsonObject
from app.domain.presets import FarEnd, Preset
from app.domain.spec import ReceiveSpec, public_spec
from app.presets.transfer import FORMAT, VERSION
from app.web.presenters.specs import about_text


class PresetView(msgspec.Struct, frozen=True):
    """A preset."""

    key: str
    name: str
    text: Annotated[str, Meta(description="The preset in one line")]
    spec: Annotated[JsonObject, Meta(description="As in POST /api/streams; encryption without its passphrase")]


class KnownFarEndView(msgspec.Struct, frozen=True):
    """A far end of the address book."""

    key: str
    name: str
    host: str
    port: int
    stream_id: str | None
    notes: str


class PresetOrder(msgspec.Struct, frozen=True):
    """The data of a new or changed preset."""

    name: str
    spec: JsonObject


class PresetDocument(msgspec.Struct, frozen=True):
    """All presets and far ends, as they are exported and imported."""

    presets: list[PresetOrder]
    far_ends: list[FarEnd]
    format: str = FORMAT
    version: int = VERSION


def present_preset(key: str, preset: Preset) -> PresetView:
    """Return a preset in the API's form."""
    kind = "receive: " if isinstance(preset.spec, ReceiveSpec) else ""
    text = f"{kind}{about_text(preset.spec)} · {preset.spec.latency_ms} ms"
    return PresetView(key, preset.name, text, public_spec(preset.spec))


def present_far_end(key: str, far_end: FarEnd) -> KnownFarEndView:
    """Return a far end in the API's form."""
    return KnownFarEndView(key, far_end.name, far_end.host, far_end.port, far_end.stream_id, far_end.notes)
