"""Documents of a spec as an operator may send them, and what is wrong with one."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.errors import InvalidInput
from app.domain.spec import (
    parse_spec,
)

PORTS = range(10001, 10011)


PASSPHRASE = "Kvällens & #hemlighet?"


def document(**changes: Any) -> dict[str, Any]:
    """Return a whole and right document, with some fields replaced."""
    return {
        "name": "Line-up",
        "endpoint": {"mode": "listener", "port": 10001},
        "source": {"kind": "file", "path": "bars.ts", "loop": True},
        "latency_ms": 200,
        "overhead_percent": 25,
        "smoothing_latency_ms": 30,
        "encryption": {"key_bits": 128, "passphrase": PASSPHRASE},
        "qos": True,
    } | changes


def fields_of(wrong: object) -> dict[str, str]:
    """Return the fields that parse_spec complains about."""
    with pytest.raises(InvalidInput) as caught:
        parse_spec(wrong, listener_ports=PORTS)
    assert caught.value.fields
    return caught.value.fields
