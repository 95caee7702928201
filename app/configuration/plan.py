"""Computes what has to change so that this host has the streams of a file. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, assert_never

import msgspec

from app.configuration.lined_yaml import Fault
from app.configuration.reading import FaultyFile, Wanted
from app.domain.snapshot import Snapshot
from app.domain.spec import CallerEndpoint, JobSpec, ListenerEndpoint, ReceiveSpec, RelaySpec, SendSpec, public_spec
from app.supervisor.admission import is_wanted


class Action(StrEnum):
    """What the plan does to a stream."""

    ADD = "add"
    CHANGE = "change"
    START = "start"
    STOP = "stop"
    REMOVE = "remove"
    KEEP = "keep"


class Difference(msgspec.Struct, frozen=True):
    """A setting before and after, as text; `–` for none. A passphrase is never shown."""

    field: str
    before: str
    after: str


class Step(msgspec.Struct, frozen=True):
    """One stream of the plan. `key` is empty for a new stream."""

    action: Action
    label: str
    key: str
    spec: JobSpec
    is_on_air: bool = False
    differences: tuple[Difference, ...] = ()


def plan(wanted: Sequence[Wanted], present: Sequence[Snapshot], *, prunes: bool) -> list[Step]:
    """Compare the file with the streams of this host. Raises FaultyFile when a passphrase is not known.

    A stream is recognised by its name, otherwise by its own port or by the far end that it calls. With `prunes`,
    streams that the file does not have are removed; without it, they stay and are not listed. Removals and stops come
    first, because they free ports.
    """
    pairs = _paired(wanted, present)
    faults, steps = [], []
    for stream, snapshot in pairs:
        spec = _with_known_passphrase(stream, snapshot)
        if spec is None:
            text = f"{stream.unresolved} is not set here, and no stream of this name has a passphrase yet"
            faults.append(Fault(stream.passphrase_line, "encryption.passphrase", text))
            continue
        steps.append(_step(spec, is_on_air=stream.is_on_air, snapshot=snapshot))
    if faults:
        raise FaultyFile(faults)
    kept = {snapshot.key for _, snapshot in pairs if snapshot is not None}
    removed = [snapshot for snapshot in present if prunes and snapshot.key not in kept]
    steps += [Step(Action.REMOVE, snapshot.spec.label(), snapshot.key, snapshot.spec) for snapshot in removed]
    return sorted(steps, key=lambda step: step.action not in (Action.REMOVE, Action.STOP))


def _paired(wanted: Sequence[Wanted], present: Sequence[Snapshot]) -> list[tuple[Wanted, Snapshot | None]]:
    left = {snapshot.key: snapshot for snapshot in present if snapshot.is_spec_known}
    found: dict[int, Snapshot] = {}
    for is_same in (_has_same_name, _has_same_place):
        for at, stream in enumerate(wanted):
            match = next((one for one in left.values() if at not in found and is_same(one.spec, stream.spec)), None)
            if match is not None:
                found[at] = left.pop(match.key)
    return [(stream, found.get(at)) for at, stream in enumerate(wanted)]


def _has_same_name(one: JobSpec, other: JobSpec) -> bool:
    return bool(one.name) and one.name == other.name


def _has_same_place(one: JobSpec, other: JobSpec) -> bool:
    return type(one) is type(other) and _place(one) == _place(other)


def _place(spec: JobSpec) -> object:
    match spec:
        case SendSpec() | ReceiveSpec():
            match spec.endpoint:
                case ListenerEndpoint(port=port):
                    return port
                case CallerEndpoint(host=host, port=port):
                    return (host, port)
                case _:
                    assert_never(spec.endpoint)
        case RelaySpec():
            return spec.listen_port
        case _:
            assert_never(spec)


def _with_known_passphrase(stream: Wanted, snapshot: Snapshot | None) -> JobSpec | None:
    """Return the spec, with the stream's present passphrase if that of the file is not known; None without any."""
    if stream.unresolved is None or stream.spec.encryption is None or isinstance(stream.spec, RelaySpec):
        return stream.spec
    kept = None if snapshot is None else snapshot.spec.encryption
    if kept is None:
        return None
    encryption = msgspec.structs.replace(stream.spec.encryption, passphrase=kept.passphrase)
    return msgspec.structs.replace(stream.spec, encryption=encryption)


def _step(spec: JobSpec, *, is_on_air: bool, snapshot: Snapshot | None) -> Step:
    if snapshot is None:
        return Step(Action.ADD, spec.label(), "", spec, is_on_air, tuple(_differences(None, spec)))
    differences = tuple(_differences(snapshot.spec, spec))
    was_on_air = is_wanted(snapshot.status)
    if differences:
        action = Action.CHANGE
    elif is_on_air == was_on_air:
        action = Action.KEEP
    else:
        action = Action.START if is_on_air else Action.STOP
    if is_on_air != was_on_air:
        differences = (*differences, Difference("on_air", _text(was_on_air), _text(is_on_air)))
    return Step(action, spec.label(), snapshot.key, spec, is_on_air, differences)


def _differences(before: JobSpec | None, after: JobSpec) -> Iterator[Difference]:
    old = {} if before is None else dict(_flat(public_spec(before), ""))
    new = dict(_flat(public_spec(after), ""))
    for field in [*new, *(name for name in old if name not in new)]:
        if old.get(field) != new.get(field):
            yield Difference(field, _text(old.get(field)), _text(new.get(field)))
    old_secret = None if before is None or before.encryption is None else before.encryption.passphrase
    new_secret = None if after.encryption is None else after.encryption.passphrase
    if old_secret is not None and new_secret is not None and old_secret != new_secret:
        yield Difference("encryption.passphrase", "(hidden)", "(another)")


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        if value not in (None, ""):
            yield path, value
        return
    for name, inner in items:
        yield from _flat(inner, f"{path}.{name}" if path else str(name))


def _text(value: object) -> str:
    if value is None:
        return "–"
    return str(value).lower() if isinstance(value, bool) else str(value)
