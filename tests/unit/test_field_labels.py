"""A fault's message has the labels that a person knows; the names of the API stay in its fields."""

from __future__ import annotations

import pytest

from app.cli.api import Refused
from app.domain.errors import InvalidInput
from app.domain.field_labels import field_label


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("source.path", "File"),
        ("endpoint.port", "Port"),
        ("latency_ms", "Latency"),
        ("overhead_percent", "Overhead"),
        ("encryption.passphrase", "Passphrase"),
        ("to_target.rate_mbps", "Rate"),
    ],
)
def test_a_field_has_a_label(name: str, label: str) -> None:
    assert field_label(name) == label


def test_a_message_names_no_field_of_the_api() -> None:
    fault = InvalidInput.of({"endpoint.port": "choose another", "latency_ms": "19 is outside 20 to 8000 ms"})
    assert fault.message == "Port: choose another; Latency: 19 is outside 20 to 8000 ms"
    assert set(fault.fields) == {"endpoint.port", "latency_ms"}


def test_the_command_line_prints_each_fault_once() -> None:
    fault = InvalidInput.of({"endpoint.port": "choose another"})
    assert Refused(400, fault.code, fault.message, fault.fields).lines() == ["Port: choose another"]
    assert Refused(400, "invalid_input", "The body is not JSON.", {"body": "send one JSON object"}).lines() == [
        "The body is not JSON.",
        "  Body: send one JSON object",
    ]
