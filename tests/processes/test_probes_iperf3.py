"""iperf3: its command, its report, and what happens when the report is bad."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.probes import iperf3 as iperf3_module
from app.probes.iperf3 import Direction, Iperf3Order, Protocol, ServerBusy, iperf3, parse_iperf3
from app.probes.run import ProbeFailed, ProgramMissing, TimedOut, TooMuchOutput
from tests.instruments.child import is_alive
from tests.instruments.fake_tools import FakeTools
from tests.instruments.waiting import wait_for

TCP = Iperf3Order("192.0.2.7", 5201)
UDP = Iperf3Order("192.0.2.7", 5201, Protocol.UDP, bitrate_bps=8_000_000)
TCP_END = {
    "sum_sent": {"seconds": 10.0, "bytes": 14_480_000, "bits_per_second": 11_584_000.0, "retransmits": 25},
    "sum_received": {"seconds": 10.04, "bytes": 14_400_000, "bits_per_second": 11_474_103.6},
}
UDP_SUM = {
    "seconds": 10.0,
    "bytes": 10_000_000,
    "bits_per_second": 8_000_000.0,
    "jitter_ms": 0.31,
    "lost_packets": 228,
    "packets": 7600,
}


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeTools:
    return FakeTools(monkeypatch, tmp_path / "bin")


def report(end: dict[str, Any], **start: Any) -> bytes:
    return json.dumps({"start": {"tcp_mss_default": 1448, **start}, "intervals": [], "end": end}).encode()


def test_tcp_sends_and_asks_for_a_report() -> None:
    assert TCP.argv() == ["iperf3", "-J", "-c", "192.0.2.7", "-p", "5201", "-t", "10", "--connect-timeout", "5000"]


def test_udp_sends_packets_of_srts_size_at_the_bitrate_asked() -> None:
    assert " ".join(UDP.argv()).endswith("-u -b 8000000 -l 1316")


def test_receiving_is_the_reverse_direction() -> None:
    assert Iperf3Order("192.0.2.7", 5201, direction=Direction.RECEIVE).argv()[-1] == "-R"


def test_tcp_bandwidth_is_what_the_receiver_got_and_loss_only_an_estimate() -> None:
    result = parse_iperf3(report(TCP_END), TCP)
    assert result.bandwidth_bps == pytest.approx(11_474_103.6)
    assert result.loss_percent is None
    assert result.loss_percent_estimated == pytest.approx(25 / 10_000 * 100)
    assert result.jitter_ms is None


def test_tcp_without_retransmits_estimates_nothing() -> None:
    without = {**TCP_END, "sum_sent": {"seconds": 10.0, "bytes": 14_480_000, "bits_per_second": 11_584_000.0}}
    assert parse_iperf3(report(without), TCP).loss_percent_estimated is None
    assert parse_iperf3(report(TCP_END, tcp_mss_default=0), TCP).loss_percent_estimated is None


def test_udp_loss_and_jitter_are_the_receivers() -> None:
    result = parse_iperf3(report({"sum": UDP_SUM, "sum_received": {"bits_per_second": 7_760_000.0}}), UDP)
    assert result.loss_percent == pytest.approx(3.0)
    assert result.packets == 7600
    assert result.jitter_ms == 0.31
    assert result.bandwidth_bps == pytest.approx(7_760_000)


def test_an_older_report_without_the_receivers_rate_is_reckoned_from_the_loss() -> None:
    assert parse_iperf3(report({"sum": UDP_SUM}), UDP).bandwidth_bps == pytest.approx(8_000_000 * 0.97)


def test_udp_that_nobody_received_is_no_result() -> None:
    with pytest.raises(ProbeFailed, match="is UDP blocked"):
        parse_iperf3(report({"sum": {**UDP_SUM, "packets": 0, "lost_packets": 0}}), UDP)


def test_a_busy_server_is_told_from_other_failures() -> None:
    text = '{"end": {}, "error": "error - the server is busy running a test. try again later"}'
    with pytest.raises(ServerBusy, match="busy with another test"):
        parse_iperf3(text.encode(), TCP)


def test_the_words_of_iperf3_are_passed_on_without_control_characters() -> None:
    with pytest.raises(ProbeFailed) as caught:
        parse_iperf3(b'{"error": "unable to connect to server:\\u0007 Connection refused\\n"}', TCP)
    assert caught.value.message == "iperf3 failed: unable to connect to server: Connection refused"


@pytest.mark.parametrize(
    ("text", "order"),
    [
        (b"", TCP),
        (b"\xff\xfe", TCP),
        (b"[]", TCP),
        (b"{}", TCP),
        (b"{}", UDP),
        (b'{"end": 5}', TCP),
        (b'{"end": {"sum_received": {"bits_per_second": -1, "seconds": 1}}}', TCP),
        (b'{"end": {"sum_received": {"bits_per_second": 1e300, "seconds": 1}}}', TCP),
        (b'{"end": {"sum_received": {"bits_per_second": nan, "seconds": 1}}}', TCP),
        (b'{"end": {"sum_received": {"bits_per_second": 1, "seconds": 0}}}', TCP),
        (b'{"end": {"sum": {"packets": 5, "lost_packets": 9, "seconds": 1, "bits_per_second": 1}}}', UDP),
        (b'{"end": {"sum": {"packets": -5, "lost_packets": -9, "seconds": 1, "bits_per_second": 1}}}', UDP),
        (b'{"end": {"sum": {"packets": 5, "lost_packets": 0, "seconds": 1, "bits_per_second": 1}}', UDP),
    ],
)
def test_a_report_that_makes_no_sense_is_refused(text: bytes, order: Iperf3Order) -> None:
    with pytest.raises(ProbeFailed, match="cannot be read"):
        parse_iperf3(text, order)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["end", "sum", "sum_received", "packets"]), inner),
)


@given(JSON, st.sampled_from([TCP, UDP]))
def test_any_document_is_a_result_or_a_refusal(document: object, order: Iperf3Order) -> None:
    try:
        result = parse_iperf3(json.dumps(document).encode(), order)
    except ProbeFailed:
        return
    assert result.bandwidth_bps >= 0


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [("garbage", "cannot be read"), ("nonsense", "cannot be read"), ("silence", "wrote nothing"), ("busy", "busy")],
)
@pytest.mark.parametrize("order", [TCP, UDP])
def test_an_iperf3_that_misbehaves_ends_in_a_sentence(
    tools: FakeTools, behaviour: str, words: str, order: Iperf3Order
) -> None:
    tools.pretend("iperf3", behaviour)
    with pytest.raises(ProbeFailed, match=words):
        iperf3(order)


def test_an_iperf3_that_talks_without_end_is_stopped(tools: FakeTools) -> None:
    tools.pretend("iperf3", "flood")
    with pytest.raises(TooMuchOutput):
        iperf3(TCP)
    assert not any(is_alive(pid) for pid in tools.pids("iperf3"))


@pytest.mark.parametrize(("order", "words"), [(TCP, "within"), (UDP, "is UDP blocked")])
def test_an_iperf3_that_hangs_is_stopped_in_time(
    tools: FakeTools, monkeypatch: pytest.MonkeyPatch, order: Iperf3Order, words: str
) -> None:
    tools.pretend("iperf3", "hang")
    monkeypatch.setattr(iperf3_module, "_GRACE_S", -14.5)
    with pytest.raises(TimedOut, match=words):
        iperf3(order)
    wait_for(lambda: not any(is_alive(pid) for pid in tools.pids("iperf3")), deadline_s=5, what="iperf3 gone")


def test_an_iperf3_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramMissing, match="iperf3 is not installed"):
        iperf3(TCP)
