"""The JSON schema of a configuration file, derived from the types that read it."""

from __future__ import annotations

from typing import Final, get_args

import msgspec

from app.configuration.export import VERSION
from app.domain.json_value import JsonObject
from app.domain.secret import Secret
from app.domain.spec import JobSpec

_REFERENCE: Final[JsonObject] = {
    "description": "The place of the passphrase: an environment variable or a file. It is never in this file.",
    "oneOf": [
        {
            "type": "object",
            "properties": {kind: {"type": "string", "minLength": 1}},
            "required": [kind],
            "additionalProperties": False,
        }
        for kind in ("env", "file")
    ],
}
_ON_AIR: Final = {"type": "boolean", "default": True, "description": "Whether the stream runs"}


def configuration_schema() -> JsonObject:
    """Return the schema (JSON Schema 2020-12)."""
    directions = get_args(JobSpec)
    _, parts = msgspec.json.schema_components(directions, schema_hook=_reference, ref_template="#/$defs/{name}")
    names = [direction.__name__ for direction in directions]
    for name in names:
        parts[name]["properties"]["on_air"] = _ON_AIR
    # A stream without a direction is one that sends.
    parts["SendSpec"]["required"] = [field for field in parts["SendSpec"]["required"] if field != "direction"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Streams of MCR SRT Streamer",
        "type": "object",
        "required": ["version", "streams"],
        "additionalProperties": False,
        "properties": {
            "version": {"const": VERSION},
            "streams": {"type": "array", "items": {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in names]}},
        },
        "$defs": parts,
    }


def _reference(kind: type) -> JsonObject:
    if kind is Secret:
        return _REFERENCE
    raise NotImplementedError(kind)
