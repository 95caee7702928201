"""Selects the streams of an order to several streams: all, a group, or some by their keys."""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.errors import InvalidInput
from app.domain.snapshot import Snapshot
from app.domain.wrong_values import invalid_input

_REMEDY: Final = 'send nothing for all streams, {"group": "NAME"} or {"keys": ["KEY", …]}'


class StreamChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The streams of `group`, or those named by `keys`; with neither, all streams."""

    group: str | None = None
    keys: list[str] | None = None


def parse_choice(document: object) -> StreamChoice:
    """Make a choice from a decoded JSON document; None chooses all streams. Raises InvalidInput."""
    if document is None:
        return StreamChoice()
    try:
        choice = msgspec.convert(document, StreamChoice)
    except msgspec.ValidationError as error:
        raise invalid_input(error, "body", _REMEDY) from None
    if choice.group is not None and choice.keys is not None:
        raise InvalidInput.of({"keys": "name a group or keys, not both"})
    return choice


def choose(snapshots: list[Snapshot], choice: StreamChoice) -> list[Snapshot]:
    """Return the chosen streams. Raises InvalidInput if a key or group does not exist."""
    if choice.keys is not None:
        unknown = [key for key in choice.keys if key not in {snapshot.key for snapshot in snapshots}]
        if unknown:
            raise InvalidInput.of({"keys": f"there is no stream {', '.join(unknown)}; leave it out"})
        return [snapshot for snapshot in snapshots if snapshot.key in choice.keys]
    if choice.group is None:
        return snapshots
    chosen = [snapshot for snapshot in snapshots if choice.group and snapshot.spec.group == choice.group]
    if not chosen:
        groups = sorted({snapshot.spec.group for snapshot in snapshots} - {""})
        remedy = f"choose one of {', '.join(groups)}" if groups else "no stream has a group"
        raise InvalidInput.of({"group": f"no stream has the group “{choice.group}”; {remedy}"})
    return chosen
