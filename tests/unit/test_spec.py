"""The settings that a stream can have, and the errors for wrong ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.spec import (
    BarsSource,
    CallerEndpoint,
    FileSource,
    Forward,
    JobSpec,
    ListenerEndpoint,
    MulticastSource,
    ReceiveSpec,
    Record,
    RelaySpec,
    SendSpec,
    Target,
    parse_spec,
    public_spec,
)
from app.domain.stored_spec import decode_spec, encode_spec, read_spec
from tests.instruments.specs import sent
from tests.unit.spec_documents import PASSPHRASE, PORTS, document, fields_of


def test_everything_after_the_source_has_a_default() -> None:
    spec = parse_spec(
        {"endpoint": {"mode": "listener", "port": 10001}, "source": {"kind": "file", "path": "bars.ts"}},
        listener_ports=PORTS,
    )
    assert spec == SendSpec(
        endpoint=ListenerEndpoint(port=10001),
        source=FileSource(path="bars.ts", loop=True),
        name="",
        latency_ms=200,
        overhead_percent=25,
        smoothing_latency_ms=30,
        encryption=None,
        qos=True,
        engine="auto",
    )


@pytest.mark.parametrize(
    ("part", "meant"),
    [
        ({"endpoint": {"mode": "caller", "host": "192.0.2.10", "port": 9000}}, CallerEndpoint("192.0.2.10", 9000)),
        ({"source": {"kind": "bars"}}, BarsSource("720p50")),
        (
            {"source": {"kind": "multicast", "address": "239.1.1.1", "port": 1234}},
            MulticastSource("239.1.1.1", 1234, "auto", "udp", None),
        ),
    ],
)
def test_the_alternatives_of_the_contract_are_understood(part: dict[str, Any], meant: object) -> None:
    spec = parse_spec(document(**part), listener_ports=PORTS)
    assert meant in (sent(spec).endpoint, sent(spec).source)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"latency_ms": 19}, "latency_ms"),
        ({"latency_ms": 8001}, "latency_ms"),
        ({"latency_ms": "200"}, "latency_ms"),
        ({"latency_ms": 200.5}, "latency_ms"),
        ({"latency_ms": True}, "latency_ms"),
        ({"latency_ms": None}, "latency_ms"),
        ({"overhead_percent": 0}, "overhead_percent"),
        ({"overhead_percent": 100}, "overhead_percent"),
        ({"smoothing_latency_ms": -1}, "smoothing_latency_ms"),
        ({"smoothing_latency_ms": 1001}, "smoothing_latency_ms"),
        ({"peer_version_lowest": "1.4"}, "peer_version_lowest"),
        ({"peer_version_lowest": "new"}, "peer_version_lowest"),
        ({"qos": "yes"}, "qos"),
        ({"qos": 1}, "qos"),
        ({"engine": "warp"}, "engine"),
        ({"engine": "direct", "source": {"kind": "bars"}}, "engine"),
        ({"direction": "sideways"}, "direction"),
        ({"name": 7}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"unheard_of": 1}, "unheard_of"),
        ({"endpoint": None}, "endpoint"),
        ({"endpoint": {"mode": "listener"}}, "endpoint.port"),
        ({"endpoint": {"port": 10001}}, "endpoint.mode"),
        ({"endpoint": {"mode": "rendezvous", "port": 10001}}, "endpoint.mode"),
        ({"endpoint": {"mode": "listener", "port": 10011}}, "endpoint.port"),
        ({"endpoint": {"mode": "listener", "port": 0}}, "endpoint.port"),
        ({"endpoint": {"mode": "listener", "port": 10001, "host": "x"}}, "endpoint.host"),
        ({"endpoint": {"mode": "caller", "host": "-h", "port": 9000}}, "endpoint.host"),
        ({"endpoint": {"mode": "caller", "host": "a?b", "port": 9000}}, "endpoint.host"),
        ({"endpoint": {"mode": "caller", "host": "a b", "port": 9000}}, "endpoint.host"),
        ({"endpoint": {"mode": "caller", "host": "a&b", "port": 9000}}, "endpoint.host"),
        ({"endpoint": {"mode": "caller", "host": "h", "port": 0}}, "endpoint.port"),
        ({"endpoint": {"mode": "caller", "host": "h", "port": 65536}}, "endpoint.port"),
        ({"source": {"kind": "file", "path": "../bars.ts"}}, "source.path"),
        ({"source": {"kind": "file", "path": "b\na.ts"}}, "source.path"),
        ({"source": {"kind": "file"}}, "source.path"),
        ({"source": {"kind": "http", "path": "bars.ts"}}, "source.kind"),
        ({"source": {"kind": "bars", "format": "480i"}}, "source.format"),
        ({"source": {"kind": "multicast", "address": "10.0.0.1", "port": 1234}}, "source.address"),
        ({"source": {"kind": "multicast", "address": "239.1.1.1", "port": 70000}}, "source.port"),
        ({"encryption": {"key_bits": 192, "passphrase": PASSPHRASE}}, "encryption.key_bits"),
        ({"encryption": {"key_bits": 128}}, "encryption.passphrase"),
        ({"encryption": {"key_bits": 128, "passphrase": 1234567890}}, "encryption.passphrase"),
        ({"encryption": {"key_bits": 128, "passphrase": "a" * 9}}, "encryption.passphrase"),
        ({"encryption": {"key_bits": 128, "passphrase": "a" * 80}}, "encryption.passphrase"),
        ({"encryption": {"key_bits": 128, "passphrase": "å" * 40}}, "encryption.passphrase"),
        ({"encryption": {"key_bits": 128, "passphrase": "ten letters\n"}}, "encryption.passphrase"),
        ({"encryption": {"key_bits": 128, "passphrase": "ten letters\ud800"}}, "encryption.passphrase"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], field: str) -> None:
    assert set(fields_of(document(**changes))) == {field}


def test_a_file_name_may_hold_quotes() -> None:
    spec = parse_spec(document(source={"kind": "file", "path": 'Kalle\'s "best" `of`.ts'}), listener_ports=PORTS)
    assert spec.label() == "Line-up"


RECEIVE = {"direction": "receive", "endpoint": {"mode": "listener", "port": 10002}}
RELAY = {"direction": "relay", "listen_port": 10005, "target": {"host": "127.0.0.1", "port": 10001}}


@pytest.mark.parametrize("wanted", [RECEIVE, RELAY])
def test_a_receive_stream_and_a_relay_are_carried(wanted: dict[str, Any]) -> None:
    assert public_spec(parse_spec(wanted, listener_ports=PORTS))["direction"] == wanted["direction"]


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (RECEIVE | {"latency_ms": 19}, "latency_ms"),
        (RECEIVE | {"source": {"kind": "bars"}}, "source"),
        (RECEIVE | {"endpoint": {"mode": "listener", "port": 9}}, "endpoint.port"),
        (RECEIVE | {"forward": {"address": "0.0.0.0", "port": 1234}}, "forward.address"),
        (RECEIVE | {"forward": {"address": "host.example", "port": 1234}}, "forward.address"),
        (RECEIVE | {"forward": {"address": "10.0.0.1", "port": 1234, "protocol": "tcp"}}, "forward.protocol"),
        (RECEIVE | {"forward": {"address": "239.1.1.1", "port": 1234, "ttl": 0}}, "forward.ttl"),
        (RECEIVE | {"stream_id": "å" * 257}, "stream_id"),
        (RECEIVE | {"record": "tape.ts"}, "record"),
        (RECEIVE | {"record": {"name": "../tape"}}, "record.name"),
        (RECEIVE | {"record": {"file_minutes": 0}}, "record.file_minutes"),
        (RECEIVE | {"record": {"file_megabytes": 9}}, "record.file_megabytes"),
        (RELAY | {"listen_port": 9}, "listen_port"),
        (RELAY | {"listen_port": True}, "listen_port"),
        (RELAY | {"target": {"host": "-h", "port": 1}}, "target.host"),
        (RELAY | {"target": {"host": "h"}}, "target.port"),
    ],
)
def test_a_wrong_field_of_another_direction_is_named(wanted: dict[str, Any], field: str) -> None:
    assert set(fields_of(wanted)) == {field}


def test_a_stream_that_was_stored_before_there_were_directions_is_a_send_stream() -> None:
    stored = {"endpoint": {"mode": "listener", "port": 10001}, "source": {"kind": "bars"}, "name": "Old"}
    assert read_spec(stored)[0] == SendSpec(ListenerEndpoint(10001), BarsSource(), "Old")


@pytest.mark.parametrize(
    "spec",
    [
        SendSpec(CallerEndpoint("h", 9), BarsSource(), engine="direct"),
        ReceiveSpec(ListenerEndpoint(10002), stream_id="camera 1", forward=Forward("239.1.1.9", 1234)),
        ReceiveSpec(ListenerEndpoint(10002), record=Record("news", file_minutes=60), forward=Forward("10.0.0.9", 1234)),
        RelaySpec(10005, Target("127.0.0.1", 10001)),
    ],
)
def test_every_kind_of_job_comes_back_from_the_store_as_it_was(spec: JobSpec) -> None:
    assert decode_spec(encode_spec(spec))[0] == spec


def test_all_wrong_fields_are_named_at_once() -> None:
    assert set(fields_of(document(latency_ms=19, overhead_percent=100, name="\t"))) == {
        "latency_ms",
        "overhead_percent",
        "name",
    }


@pytest.mark.parametrize("wrong", [None, [], "stream", 7, True, 1.5])
def test_what_is_not_an_object_is_refused_as_a_whole(wrong: object) -> None:
    assert set(fields_of(wrong)) == {"stream"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3),
    max_leaves=8,
)


def _paths(node: object, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(node, dict):
        return [prefix]
    return [prefix] + [path for name, inner in node.items() for path in _paths(inner, (*prefix, name))]


def _replaced(node: object, path: tuple[str, ...], value: object) -> object:
    if not path or not isinstance(node, dict):
        return value
    return node | {path[0]: _replaced(node.get(path[0]), path[1:], value)}


@given(path=st.sampled_from(_paths(document())), value=json_values, extra=st.dictionaries(st.text(), json_values))
def test_hostile_json_is_understood_or_refused_with_a_field_and_never_anything_else(
    path: tuple[str, ...], value: object, extra: dict[str, object]
) -> None:
    hostile = _replaced(document(), path, value)
    if isinstance(hostile, dict):
        hostile = extra | hostile
    if (refused := _refusal(hostile)) is not None:
        assert refused.fields
        assert all(refused.fields.values())
        assert PASSPHRASE not in str(refused) + repr(refused) + str(refused.fields)


def _refusal(hostile: object) -> InvalidInput | None:
    try:
        parse_spec(hostile, listener_ports=PORTS)
    except InvalidInput as refused:
        return refused
    return None


# Letters that no field name is made of: a passphrase that reads "encryption" would be found in any spec.


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({}, "Line-up"),
        ({"name": ""}, "bars.ts → listener :10001"),
        (
            {"name": "", "endpoint": {"mode": "caller", "host": "2001:db8::1", "port": 9000}},
            "bars.ts → caller [2001:db8::1]:9000",
        ),
        (
            {"name": "", "source": {"kind": "multicast", "address": "239.1.1.1", "port": 5}},
            "239.1.1.1:5 → listener :10001",
        ),
        ({"name": "", "source": {"kind": "bars"}}, "bars 720p50 → listener :10001"),
    ],
)
def test_a_stream_without_a_name_is_called_after_its_source_and_endpoint(changes: dict[str, Any], label: str) -> None:
    assert parse_spec(document(**changes), listener_ports=PORTS).label() == label


@pytest.mark.parametrize(
    ("ports", "said"),
    [([], "none are configured"), ([5], "5;"), ([5, 6, 7], "5-7"), ([5, 9], "5, 9")],
)
def test_a_port_outside_the_range_is_answered_with_the_ports_that_exist(ports: list[int], said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_spec(document(), listener_ports=ports)
    assert said in caught.value.fields["endpoint.port"]
