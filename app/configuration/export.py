"""Writes the streams of this host as a configuration file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import yaml

from app.domain.json_value import JsonObject
from app.domain.snapshot import Snapshot
from app.domain.spec import public_spec
from app.supervisor.admission import is_wanted

VERSION: Final = 1
_HEAD: Final = """\
# The streams of MCR SRT Streamer. Apply with: mcr apply -f FILE
# A passphrase is read from the environment or the file that is named here.
"""


def export(snapshots: Iterable[Snapshot]) -> str:
    """Return the file of all streams with readable settings, oldest first. It contains no secret."""
    variables: set[str] = set()
    entries = [_entry(snapshot, variables) for snapshot in snapshots if snapshot.is_spec_known]
    document = {"version": VERSION, "streams": entries}
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return _HEAD + text


def _entry(snapshot: Snapshot, variables: set[str]) -> JsonObject:
    document = public_spec(snapshot.spec)
    if isinstance(encryption := document.get("encryption"), dict):
        encryption["passphrase"] = {"env": _variable(snapshot, variables)}
    made: JsonObject = {"name": document.pop("name", ""), "on_air": is_wanted(snapshot.status), **document}
    return {name: value for name, value in made.items() if value not in (None, "")}


def _variable(snapshot: Snapshot, taken: set[str]) -> str:
    """Return a variable name that no other stream of the file uses: two passphrases must not share one."""
    name = "PASSPHRASE_" + re.sub(r"[^A-Z0-9]+", "_", snapshot.spec.label().upper()).strip("_")
    if name in taken:
        name += "_" + re.sub(r"[^A-Z0-9]+", "_", snapshot.key.upper())
    taken.add(name)
    return name
