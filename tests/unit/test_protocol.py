"""Messages between a worker and its manager, and what they never contain."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import protocol
from app.domain.events import NoticeCode, PeerChange
from app.domain.figures.debug import DirectDebug, SocketDebug
from app.domain.secret import Secret
from app.domain.spec import Encryption, FileSource, ListenerEndpoint, SendSpec, public_spec
from app.domain.status import Reason

PASSPHRASE = "Kvällens & #hemlighet?"
SPEC = SendSpec(
    endpoint=ListenerEndpoint(port=10001),
    source=FileSource(path="bars.ts"),
    encryption=Encryption(key_bits=256, passphrase=Secret(PASSPHRASE)),
)
JOB = protocol.Job(key="k7m2xq", spec=SPEC, file_path="/media/bars.ts")
PEER = protocol.Peer(
    id=1,
    address="192.0.2.7:41234",
    connected_at=1.0,
    payload_bytes_total=1,
    wire_bytes_total=2,
    packets_sent_unique_total=3,
    packets_retransmitted_total=4,
    packets_dropped_total=5,
    acks_total=6,
    naks_total=7,
    rtt_ms=8.0,
    link_capacity_mbps=9.0,
)
FROM_WORKER: list[protocol.FromWorker] = [
    protocol.Hello(key="k7m2xq", pid=1, started_at=1.5, spec=public_spec(SPEC), engine="GStreamer 1.22"),
    protocol.History.of([protocol.Point(at=1.0), protocol.Point(at=2.0, rtt_ms=3.5)]),
    protocol.Ready(),
    protocol.Sample(point=protocol.Point(at=1.0), peers=[PEER], input=protocol.Input(bytes_total=188)),
    protocol.PeerEvent(at=1.0, change=PeerChange.REFUSED, address="192.0.2.7:41234", reason=Reason.WRONG_PASSPHRASE),
    protocol.Notice(at=1.0, code=NoticeCode.SMALL_RECEIVE_BUFFER, text="Puffer\nzu klein"),
    protocol.Ended(at=1.0, reason=None),
    protocol.Ended(at=1.0, reason=Reason.END_OF_FILE, detail="\u2028"),
    protocol.Debug(values={"srt": {"rtt": 1.5}, "list": [1, None]}),
]
TO_WORKER: list[protocol.ToWorker] = [protocol.Stop(), protocol.Report()]


@pytest.mark.parametrize("message", FROM_WORKER)
def test_what_a_worker_says_arrives_as_it_was_said_on_one_line(message: protocol.FromWorker) -> None:
    line = protocol.encode(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert protocol.decode_from_worker(line) == message


@pytest.mark.parametrize("message", TO_WORKER)
def test_what_a_manager_says_arrives_as_it_was_said(message: protocol.ToWorker) -> None:
    assert protocol.decode_to_worker(protocol.encode(message)) == message


def test_the_job_carries_the_passphrase_to_standard_input() -> None:
    received = protocol.decode_job(protocol.encode_job(JOB))
    assert received == JOB
    assert received.spec.encryption is not None
    assert received.spec.encryption.passphrase.reveal() == PASSPHRASE


def test_nothing_with_a_secret_in_it_can_be_put_on_the_socket() -> None:
    debug = protocol.Debug(values={"passphrase": Secret(PASSPHRASE)})  # type: ignore[dict-item]
    with pytest.raises(TypeError):
        protocol.encode(debug)
    with pytest.raises(TypeError):
        protocol.encode(JOB)  # type: ignore[arg-type]


def test_an_engines_debug_view_arrives_as_json_that_no_release_has_to_know() -> None:
    socket = SocketDebug("connected", {"LATENCY": 200, "IPTOS": None}, {"msRTT": 1.5})
    sent = protocol.Debug.of(DirectDebug("direct, libsrt 1.5.1", 4.0, {"main": socket}))
    assert protocol.decode_from_worker(protocol.encode(sent)) == protocol.Debug(
        {
            "engine": "direct, libsrt 1.5.1",
            "turn_ms": 4.0,
            "sockets": {
                "main": {"state": "connected", "options": {"LATENCY": 200, "IPTOS": None}, "stats": {"msRTT": 1.5}}
            },
        }
    )
    assert protocol.Debug.of(None) == protocol.Debug({})


def test_a_job_shows_no_passphrase_when_printed() -> None:
    assert PASSPHRASE not in repr(JOB) + str(JOB) + f"{JOB.spec.encryption}"


def test_only_a_secret_travels_by_the_secret_way() -> None:
    with pytest.raises(TypeError):
        protocol.encode_job(msgspec.structs.replace(JOB, file_path=object()))


def test_a_message_of_a_later_version_with_more_fields_is_still_understood() -> None:
    line = b'{"type":"ready","mood":"good"}\n'
    assert protocol.decode_from_worker(line) == protocol.Ready()


@given(st.binary(max_size=200) | st.text().map(str.encode) | st.sampled_from([b"{}", b"null", b'{"type":"stop"}']))
def test_a_line_that_is_none_of_ours_is_refused_as_such(line: bytes) -> None:
    for decode in (protocol.decode_from_worker, protocol.decode_job):
        with pytest.raises(msgspec.DecodeError):
            decode(line)


def test_an_hour_of_history_fits_into_one_line() -> None:
    point = protocol.Point(
        at=1_769_860_000.123456,
        peers=50,
        payload_bytes_total=2**50,
        wire_bytes_total=2**50,
        packets_sent_unique_total=2**40,
        packets_retransmitted_total=2**40,
        packets_dropped_total=2**40,
        acks_total=2**40,
        input_bytes_total=2**50,
        continuity_errors_total=2**30,
        rtt_ms=123.456789,
        send_buffer_ms=8000,
    )
    line = protocol.encode(protocol.History.of([point] * protocol.HISTORY_SECONDS))
    assert len(line) < protocol.LINE_BYTES_MAX


def test_a_worker_of_protocol_1_is_understood() -> None:
    """These lines were written by a worker of commit 7a1b5f1."""
    row = b"[5.5,1,1000,1100,10,2,1,7,1000,3,40.5,20,5.25]"
    history = protocol.decode_from_worker(b'{"type":"history","points":[' + row + b"]}")
    assert isinstance(history, protocol.History)
    expected = protocol.Point(
        at=5.5,
        peers=1,
        payload_bytes_total=1000,
        wire_bytes_total=1100,
        packets_sent_unique_total=10,
        packets_retransmitted_total=2,
        packets_dropped_total=1,
        acks_total=7,
        input_bytes_total=1000,
        continuity_errors_total=3,
        rtt_ms=40.5,
        send_buffer_ms=20,
        input_at=5.25,
    )
    assert history.readings() == [expected]
    peer = msgspec.json.encode(PEER)
    sample = protocol.decode_from_worker(
        b'{"type":"sample","point":' + row + b',"peers":[' + peer + b'],"input":{"bytes_total":1000},'
        b'"applied":{"latency_ms":200,"overhead_percent":25},"is_last":false}'
    )
    assert isinstance(sample, protocol.Sample)
    assert sample.point == expected
    assert sample.peers == [PEER]
    assert (sample.applied.latency_ms, sample.applied.dscp) == (200, None)


def test_a_point_of_a_later_version_is_read_as_far_as_it_is_known() -> None:
    line = b'{"type":"history","fields":["at","new_total","acks_total"],"points":[[1.0,5,7]]}'
    history = protocol.decode_from_worker(line)
    assert isinstance(history, protocol.History)
    assert history.readings() == [protocol.Point(at=1.0, acks_total=7)]
