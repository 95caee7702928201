"""Presets of streams and an address book of far ends, which operators save to use again.

A preset holds every field of a spec except the passphrase. Its encryption keeps the key length, with an empty
passphrase.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from app.domain import names
from app.domain.errors import InvalidInput
from app.domain.json_value import JsonObject
from app.domain.secret import Secret
from app.domain.spec import ReceiveSpec, RelaySpec, SendSpec, parse_part, parse_spec, with_direction
from app.domain.spec.endpoint import PORTS, Host, Port
from app.domain.spec.fields import setting, setting_of
from app.domain.spec.part import Part
from app.domain.stored_spec import SpecUnreadable, encode_spec, read_spec, with_passphrase
from app.domain.wrong_values import UNKNOWN

PresetSpec = SendSpec | ReceiveSpec
EntryName = Annotated[str, setting("Name", "Shown in the list of presets", rule=names.problem_with_entry_name)]
# A placeholder that satisfies every rule; a preset has no passphrase.
_STAND_IN: Final = "0123456789"
_NO_RELAY: Final = "a preset is a send or receive stream; a relay is kept as an impairment profile"
_ANY_PORT: Final = range(PORTS[0], PORTS[1] + 1)


class FarEnd(Part, frozen=True):
    """A host that streams are sent to or received from."""

    name: EntryName
    host: Host
    port: Port
    stream_id: Annotated[
        str | None, setting("Stream ID", "Expected by its listener, if any", rule=names.problem_with_stream_id)
    ] = None
    notes: Annotated[str, setting("Notes", "For example, whom to call", rule=names.problem_with_notes)] = ""


class Preset(msgspec.Struct, frozen=True):
    """The settings of a stream under a name, without its passphrase."""

    name: str
    spec: PresetSpec


class EntryUnreadable(Exception):
    """A stored preset or far end that this version cannot read; the text says why."""


def parse_far_end(document: object) -> FarEnd:
    """Make a far end from a decoded JSON object. Raises InvalidInput, which names every wrong field."""
    if not isinstance(document, dict):
        raise InvalidInput.of({"far_end": "send an object with name, host and port"})
    return parse_part(document, FarEnd, "")


def parse_preset(document: object) -> Preset:
    """Make a preset from a decoded JSON object. Raises InvalidInput, which names every wrong field."""
    if not isinstance(document, dict):
        raise InvalidInput.of({"preset": "send an object with name and spec"})
    problems = {str(name): UNKNOWN for name in document if name not in ("name", "spec")}
    if problem := problem_with_name(document.get("name")):
        problems["name"] = problem
    try:
        spec = parse_preset_spec(document.get("spec"))
    except InvalidInput as error:
        faults = {_in_spec(field): text for field, text in error.fields.items()}
        raise InvalidInput.of({**problems, **faults}) from None
    if problems:
        raise InvalidInput.of(problems)
    return Preset(document["name"], spec)


def _in_spec(field: str) -> str:
    """Return the path of a spec's field in a preset. A value that is not a spec is named `stream`."""
    return "spec" if field == "stream" else f"spec.{field}"


def problem_with_name(name: object) -> str | None:
    """Say what is wrong with the name of a preset or far end, or None."""
    described = setting_of(EntryName)
    if not isinstance(name, str) or described is None:
        return "enter a name"
    return described.problem_with(name)


def parse_preset_spec(document: object) -> PresetSpec:
    """Make the spec of a preset: a send or receive stream, which may ask for encryption and has no passphrase.

    Raises InvalidInput. Any port is allowed, because another installation may have other listener ports.
    """
    document = with_direction(document)
    if isinstance(document, dict) and document["direction"] == "relay":
        raise InvalidInput.of({"direction": _NO_RELAY})
    encryption = document.get("encryption") if isinstance(document, dict) else None
    if isinstance(document, dict) and isinstance(encryption, dict):
        if "passphrase" in encryption:
            raise InvalidInput.of({"encryption.passphrase": "a preset has no passphrase; leave it out"})
        document = {**document, "encryption": {**encryption, "passphrase": _STAND_IN}}
    spec = parse_spec(document, listener_ports=_ANY_PORT)
    if isinstance(spec, RelaySpec):
        raise InvalidInput.of({"direction": _NO_RELAY})
    return _with_empty_passphrase(spec)


def without_passphrase(document: JsonObject) -> JsonObject:
    """Return a form's document without the passphrase that was entered."""
    encryption = document["encryption"]
    if not isinstance(encryption, dict):
        return document
    return {**document, "encryption": {"key_bits": encryption["key_bits"]}}


def _with_empty_passphrase(spec: PresetSpec) -> PresetSpec:
    kept = spec.encryption
    if kept is None:
        return spec
    return msgspec.structs.replace(spec, encryption=msgspec.structs.replace(kept, passphrase=Secret("")))


def preset_document(preset: Preset) -> JsonObject:
    """Return the preset as it is stored and exported, without fields that are empty by default, for older versions."""
    return {"name": preset.name, "spec": msgspec.json.decode(encode_spec(preset.spec))}


def far_end_document(far_end: FarEnd) -> JsonObject:
    """Return the far end as it is stored and exported."""
    return dict(msgspec.to_builtins(far_end))


def read_preset(document: object) -> Preset:
    """Read a stored preset. Raises EntryUnreadable."""
    if not isinstance(document, dict) or not isinstance(document.get("name"), str):
        raise EntryUnreadable("it has no name")
    try:
        spec, key_bits = read_spec(document.get("spec"))
    except SpecUnreadable as error:
        raise EntryUnreadable(str(error)) from None
    spec = with_passphrase(spec, key_bits, Secret(""))
    if isinstance(spec, RelaySpec):
        raise EntryUnreadable("it is a relay")
    return Preset(document["name"], spec)


def read_far_end(document: object) -> FarEnd:
    """Read a stored far end. Raises EntryUnreadable."""
    try:
        return msgspec.convert(document, FarEnd)
    except msgspec.ValidationError as error:
        raise EntryUnreadable(str(error)) from None
