"""Stored specs of later versions: one that this version cannot read raises SpecUnreadable and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.domain.stored_spec import SpecUnreadable, decode_spec


def relay_row(**event: Any) -> str:
    impairment = {"events": [{"kind": "outage", "at_s": 1, "for_ms": 5, **event}]}
    target = {"host": "192.0.2.1", "port": 9000}
    return json.dumps({"direction": "relay", "listen_port": 10001, "target": target, "impairment": impairment})


@pytest.mark.parametrize("value", [None, 1])
def test_an_unknown_field_in_a_list_makes_the_spec_unreadable(value: object) -> None:
    decode_spec(relay_row())
    with pytest.raises(SpecUnreadable, match="later_field"):
        decode_spec(relay_row(later_field=value))
