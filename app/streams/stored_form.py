"""What the store keeps of a stream, and whether a changed spec is the same stream to its worker."""

from __future__ import annotations

import msgspec

from app.domain.snapshot import Snapshot
from app.domain.spec import JobSpec
from app.store.store import StoredStream


def is_same_stream(before: JobSpec, after: JobSpec) -> bool:
    """Whether two specs differ in nothing that a worker carries out: name and group are for people."""
    for_people = {"name": "", "group": ""}
    return msgspec.structs.replace(before, **for_people) == msgspec.structs.replace(after, **for_people)


def stored_form(snapshot: Snapshot) -> StoredStream:
    """The stream as the store keeps it."""
    status = snapshot.status
    return StoredStream(snapshot.key, snapshot.spec, status.order, snapshot.ordered_at, status)
