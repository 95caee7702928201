"""The stored form of a stream, and whether a changed spec needs a new worker."""

from __future__ import annotations

import msgspec

from app.domain.snapshot import Snapshot
from app.domain.spec import JobSpec
from app.store.store import StoredStream


def is_same_stream(before: JobSpec, after: JobSpec) -> bool:
    """Whether two specs are the same to a worker: they may differ in name and group only."""
    for_people = {"name": "", "group": ""}
    return msgspec.structs.replace(before, **for_people) == msgspec.structs.replace(after, **for_people)


def stored_form(snapshot: Snapshot) -> StoredStream:
    """Return the stream in its stored form."""
    status = snapshot.status
    return StoredStream(snapshot.key, snapshot.spec, status.order, snapshot.ordered_at, status)
