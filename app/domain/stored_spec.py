"""Reads and writes a spec as the store keeps it. Reading is tolerant; SpecUnreadable names what cannot be read.

A field that this version does not know may be ignored only while it is empty or `auto`: then the version that wrote it
did without it too. Such fields are not written either, so that an older version can read the row.
"""

from __future__ import annotations

from typing import Any, Final, cast

import msgspec

from app.domain.json_value import JsonObject
from app.domain.secret import Secret
from app.domain.spec import (
    Encryption,
    Endpoint,
    FileSource,
    JobSpec,
    ListenerEndpoint,
    RelaySpec,
    SendSpec,
    Source,
    public_spec,
    with_direction,
    without_direction,
)

_UNKNOWN: Final = "Object contains unknown field `"
_EMPTY: Final[tuple[object, ...]] = (None, False, "", "auto", [], {})
_NAME_CHARACTERS: Final = 80


class SpecUnreadable(Exception):
    """This version cannot read a stored spec; the text says which part and why."""


def encode_spec(spec: JobSpec) -> str:
    """Encode the spec as JSON, without its passphrase and without fields that are empty by default."""
    document = without_direction(public_spec(spec))
    _drop_empty_defaults(spec, document)
    return msgspec.json.encode(document).decode()


def _drop_empty_defaults(part: msgspec.Struct, document: JsonObject) -> None:
    for field in msgspec.structs.fields(type(part)):
        value = getattr(part, field.name)
        inner = document.get(field.name)
        if isinstance(value, msgspec.Struct) and isinstance(inner, dict):
            _drop_empty_defaults(value, inner)
        elif _is_empty(value) and field.default == value:
            document.pop(field.name, None)


def _is_empty(value: object) -> bool:
    return any(value is empty or (type(value) is type(empty) and value == empty) for empty in _EMPTY)


def decode_spec(text: str) -> tuple[JobSpec, int | None]:
    """Decode the spec without its passphrase, and the key length in bits; None without encryption.

    Raises SpecUnreadable.
    """
    try:
        document = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise SpecUnreadable(f"it is not JSON ({error})") from None
    return read_spec(document)


def read_spec(document: object) -> tuple[JobSpec, int | None]:
    """Read a decoded document, such as that in a worker's Hello, as `decode_spec` does."""
    if not isinstance(document, dict):
        raise SpecUnreadable("it is not a JSON object")
    rest = msgspec.json.decode(msgspec.json.encode(document))
    encryption = rest.pop("encryption", None)
    return _convert(rest), _key_bits(encryption)


def with_passphrase(spec: JobSpec, key_bits: int | None, passphrase: Secret) -> JobSpec:
    """Return the spec with its passphrase; a spec without encryption is unchanged."""
    if key_bits not in (128, 256) or isinstance(spec, RelaySpec):
        return spec
    return msgspec.structs.replace(spec, encryption=Encryption(128 if key_bits == 128 else 256, passphrase))


def salvage_spec(text: str, key: str) -> SendSpec:
    """Return the readable parts of an unreadable spec, to show them. Other parts are placeholders that send nothing."""
    try:
        document = msgspec.json.decode(text)
    except msgspec.DecodeError:
        document = {}
    parts = document if isinstance(document, dict) else {}
    name = parts.get("name")
    return SendSpec(
        endpoint=_part_of(parts.get("endpoint"), Endpoint, ListenerEndpoint(0)),
        source=_part_of(parts.get("source"), Source, FileSource("")),
        name=name[:_NAME_CHARACTERS] if isinstance(name, str) and name else f"stream {key}",
    )


def _part_of(document: object, kind: Any, stand_in: Any) -> Any:
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError:
        return stand_in


def _convert(document: JsonObject) -> JobSpec:
    while True:
        try:
            return cast(JobSpec, msgspec.convert(with_direction(document), JobSpec))
        except msgspec.ValidationError as error:
            if not _drop_unknown_empty(document, str(error)):
                raise SpecUnreadable(str(error)) from None


def _drop_unknown_empty(document: JsonObject, message: str) -> bool:
    """Remove the unknown field that msgspec names, if it is empty; return whether it was.

    A field of an entry in a list is not removed: msgspec does not name the entry.
    """
    what, _, path = message.partition(" - at `$.")
    if not what.startswith(_UNKNOWN):
        return False
    place: Any = document
    for name in filter(None, path.rstrip("`").split(".")):
        place = place.get(name) if isinstance(place, dict) else None
    field = what[len(_UNKNOWN) :].rstrip("`")
    if not isinstance(place, dict) or not _is_empty(place.get(field)):
        return False
    del place[field]
    return True


def _key_bits(encryption: object) -> int | None:
    if encryption is None:
        return None
    bits = encryption.get("key_bits") if isinstance(encryption, dict) else None
    if bits not in (128, 256) or set(encryption if isinstance(encryption, dict) else ()) - {"key_bits"}:
        raise SpecUnreadable("its encryption cannot be read")
    return int(bits)
