"""Converts JSON to a spec, strictly, and back, without secrets. `app.domain.stored_spec` reads what was stored.

`parse_spec` is the only validation in the product: the form, the API and the command line use it. Rules that need the
machine (does the file exist, is the port free) are checked elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import UnionType
from typing import Any, Final, TypeVar, assert_never, cast, get_args

import msgspec

from app.domain.errors import InvalidInput
from app.domain.impairment.model import Impairment
from app.domain.impairment.profiles import complete
from app.domain.json_value import JsonObject
from app.domain.secret import Secret
from app.domain.spec.endpoint import Endpoint
from app.domain.spec.fields import bare, setting_of
from app.domain.spec.job import JobSpec, problem_with_engine
from app.domain.spec.receive import ReceiveSpec
from app.domain.spec.relay import RelaySpec
from app.domain.spec.send import SendSpec
from app.domain.spec.srt_settings import Encryption
from app.domain.wrong_values import MISSING, UNKNOWN, fault_of, invalid_input

Fault = tuple[str, str]
_PartT = TypeVar("_PartT", bound=msgspec.Struct)
_DIRECTION: Final = "direction"
_SEND: Final = "send"


def parse_spec(document: object, *, listener_ports: Collection[int]) -> JobSpec:
    """Make a spec from a decoded JSON object. Raises InvalidInput, which names every wrong field.

    A document without `direction` is a send stream. `listener_ports` are the ports a listener may use. The passphrase
    is wrapped in a Secret here and nowhere else.
    """
    document = with_direction(document)
    problems = dict(_faults(document, JobSpec, ""))
    problems |= {field: text for field, text in _port_faults(document, listener_ports) if field not in problems}
    if problems:
        raise InvalidInput.of(problems)
    try:
        spec: JobSpec = msgspec.convert(document, JobSpec, dec_hook=_wrap_secret)
    except msgspec.ValidationError as error:
        raise invalid_input(error, "stream") from None
    if problem := problem_with_engine(spec):
        raise InvalidInput.of(problem)
    return msgspec.structs.replace(spec, impairment=complete(spec.impairment)) if isinstance(spec, RelaySpec) else spec


def parse_impairment(document: object) -> Impairment:
    """Make an impairment from a decoded JSON object. Raises InvalidInput, which names every wrong field."""
    return complete(parse_part(document, Impairment, "impairment"))


def parse_part(document: object, kind: type[_PartT], path: str) -> _PartT:
    """Make a described struct from a decoded JSON object. Raises InvalidInput for every wrong field below `path`."""
    if problems := dict(_faults(document, kind, path)):
        raise InvalidInput.of(problems)
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise invalid_input(error, path) from None


def with_kept_passphrase(document: object, kept: Encryption | None) -> object:
    """Return the document with the stream's present passphrase where its encryption names none."""
    encryption = document.get("encryption") if isinstance(document, dict) else None
    if kept is None or not isinstance(encryption, dict) or encryption.get("passphrase"):
        return document
    return {**cast(JsonObject, document), "encryption": {**encryption, "passphrase": kept.passphrase.reveal()}}


def public_spec(spec: JobSpec) -> JsonObject:
    """Return the spec as JSON data without the passphrase: encryption keeps only its key length."""
    match spec:
        case SendSpec() | ReceiveSpec():
            document = cast(JsonObject, msgspec.to_builtins(msgspec.structs.replace(spec, encryption=None)))
            if spec.encryption is not None:
                document["encryption"] = {"key_bits": spec.encryption.key_bits}
            return document
        case RelaySpec():
            return cast(JsonObject, msgspec.to_builtins(spec))
        case _:
            assert_never(spec)


def with_direction(document: object) -> object:
    """Return the document with a `direction`, which documents from before receive streams do not have."""
    if isinstance(document, dict) and _DIRECTION not in document:
        return {_DIRECTION: _SEND, **document}
    return document


def without_direction(document: JsonObject) -> JsonObject:
    """Return a send stream's document for versions without directions; other documents unchanged."""
    return {name: value for name, value in document.items() if (name, value) != (_DIRECTION, _SEND)}


def _wrap_secret(kind: type, value: object) -> object:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError("expected text")


def _faults(value: object, annotation: Any, path: str) -> Iterator[Fault]:
    """Return every fault in a value of an annotated type, each with the dotted path of its field."""
    parts = _parts_in(annotation)
    if not parts or (value is None and type(None) in get_args(annotation)):
        yield from _leaf_faults(value, annotation, path)
    elif not isinstance(value, Mapping):
        yield path or "stream", "send an object"
    elif (part := _part_of(parts, value)) is None:
        tag_field = _tag_field(parts)
        known = ", ".join(str(part.__struct_config__.tag) for part in parts)
        yield _join(path, tag_field), f"choose one of {known}"
    else:
        yield from _part_faults(value, part, path)


def _part_faults(value: Mapping[str, object], part: type[msgspec.Struct], path: str) -> Iterator[Fault]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(part)}
    for name in value:
        if name not in fields and name != part.__struct_config__.tag_field:
            yield _join(path, str(name)) or "stream", UNKNOWN
    for name, field in fields.items():
        if name in value:
            yield from _faults(value[name], field.type, _join(path, name))
        elif field.required:
            yield _join(path, name), MISSING


def _leaf_faults(value: object, annotation: Any, path: str) -> Iterator[Fault]:
    described = setting_of(annotation)
    try:
        converted = msgspec.convert(value, bare(annotation), dec_hook=_wrap_secret)
    except msgspec.ValidationError as error:
        choices = ", ".join(described.choices) if described is not None else ""
        yield path, f"choose one of {choices}" if choices else fault_of(error, path)[1]
        return
    if described is not None and (problem := described.problem_with(converted)):
        yield path, problem


def _parts_in(annotation: Any) -> list[type[msgspec.Struct]]:
    """Return the structs in a type or a union of types."""
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]


def _part_of(parts: list[type[msgspec.Struct]], value: Mapping[str, object]) -> type[msgspec.Struct] | None:
    if len(parts) == 1 and parts[0].__struct_config__.tag_field is None:
        return parts[0]
    tag = value.get(_tag_field(parts))
    return next((part for part in parts if part.__struct_config__.tag == tag), None)


def _tag_field(parts: list[type[msgspec.Struct]]) -> str:
    return parts[0].__struct_config__.tag_field or ""


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _port_faults(document: object, listener_ports: Collection[int]) -> Iterator[Fault]:
    """Yield the fault of a document's listener port, if it has one."""
    if not isinstance(document, dict):
        return
    endpoint = _endpoint_in(document)
    field, asked = (
        ("listen_port", document.get("listen_port")) if endpoint is None else ("endpoint.port", endpoint.local_port())
    )
    if isinstance(asked, int) and asked not in listener_ports:
        yield field, f"{asked} is not among the listener ports {_span(listener_ports)}; choose one"


def _endpoint_in(document: Mapping[str, object]) -> Endpoint | None:
    try:
        return cast(Endpoint, msgspec.convert(document.get("endpoint"), Endpoint))
    except msgspec.ValidationError:
        return None


def _span(ports: Collection[int]) -> str:
    ordered = sorted(ports)
    if not ordered:
        return "(none are configured)"
    if ordered == list(range(ordered[0], ordered[-1] + 1)):
        return f"{ordered[0]}-{ordered[-1]}" if len(ordered) > 1 else str(ordered[0])
    return ", ".join(map(str, ordered))
