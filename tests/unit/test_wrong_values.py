"""Wrong values in JSON documents: each names its field and says what to send, in no library's words."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.errors import InvalidInput
from app.domain.lineup.plan import parse_plan
from app.domain.network_order import parse_order
from app.domain.rehearsal.plan import parse_rehearsal
from app.domain.spec import parse_spec
from app.domain.stream_choice import parse_choice

SPEC: dict[str, Any] = {"endpoint": {"mode": "listener", "port": 1}, "source": {"kind": "bars"}}


def faults_of(parse: Any, document: object) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refused:
        parse(document)
    return refused.value.fields


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"name": ["a"]}, "name", "this is a list; send text"),
        ({"latency_ms": "200"}, "latency_ms", "this is text; send a whole number"),
        ({"latency_ms": 200.5}, "latency_ms", "this is a number; send a whole number"),
        ({"latency_ms": True}, "latency_ms", "this is true or false; send a whole number"),
        ({"stream_id": 7}, "stream_id", "this is a whole number; send text or null"),
        (
            {"encryption": {"key_bits": 192, "passphrase": "0123456789"}},
            "encryption.key_bits",
            "choose one of 128, 256",
        ),
        ({"engine": "x"}, "engine", "choose one of auto, gstreamer, direct"),
        ({"latency_ms": None}, "latency_ms", "this is empty; enter a whole number"),
        ({"endpoint": None}, "endpoint", "send an object"),
        ({"source": {"kind": "file"}}, "source.path", "this field is missing; add it"),
        ({"town": "Umeå"}, "town", "this field is unknown; remove it"),
    ],
)
def test_a_wrong_field_of_a_spec(changes: dict[str, Any], field: str, text: str) -> None:
    found = faults_of(lambda document: parse_spec(document, listener_ports={1}), {**SPEC, **changes})
    assert found == {field: text}


@pytest.mark.parametrize(
    ("parse", "document", "field", "text"),
    [
        (parse_order, {}, "mode", "this field is missing; add it"),
        (parse_order, [], "test", "this is a list; send an object"),
        (parse_order, {"mode": "x"}, "mode", "x is not among the choices; the API's description lists them"),
        (
            parse_rehearsal,
            {"latencies_ms": [1, "a"], "stream": "a"},
            "latencies_ms[1]",
            "this is text; send a whole number",
        ),
        (parse_rehearsal, {"town": 1, "stream": "a"}, "town", "this field is unknown; remove it"),
        (parse_plan, 7, "plan", "this is a whole number; send an object"),
        (parse_choice, {"keys": "a"}, "keys", "this is text; send a list or null; "),
    ],
)
def test_a_wrong_field_of_other_documents(parse: Any, document: object, field: str, text: str) -> None:
    (name, found) = next(iter(faults_of(parse, document).items()))
    assert (name, found[: len(text)]) == (field, text)
