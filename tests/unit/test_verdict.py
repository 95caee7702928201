"""One judgement for page, API, metrics and health: what is a fault, what needs attention, and what is good."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from app.domain.attendance import Attendance
from app.domain.figures.sample import Input
from app.domain.snapshot import Snapshot
from app.domain.spec import BarsSource, FileSource, ListenerEndpoint, SendSpec
from app.domain.status import Phase, Reason
from app.domain.verdict import Concern, Severity, judge
from app.words.concerns import direct_engine_offer, remark_text
from tests.web.fake_streams import make_peer, make_snapshot

NOW = 1_770_000_000.0
LISTENER = SendSpec(ListenerEndpoint(10001), BarsSource(), "Listens")
GONE = "203.0.113.9:4000"


def stream(phase: Phase = Phase.DELIVERING, **other: Any) -> Snapshot:
    """Return a listener with one receiver on a good path."""
    return make_snapshot("listens", LISTENER, phase, peers=(make_peer(),), payload_mbps=8.0, **other)


def losing(fraction: float | None, *, is_held_back: bool = False) -> Snapshot:
    """Return this stream with an estimated loss at its receiver."""
    snapshot = stream()
    assert snapshot.sample is not None
    point = msgspec.structs.replace(snapshot.sample.point, lost_at_receiver=fraction, is_held_back=is_held_back)
    return msgspec.structs.replace(snapshot, sample=msgspec.structs.replace(snapshot.sample, point=point))


def missing(since: float) -> Snapshot:
    """Return a listener whose receiver has left."""
    attendance = Attendance(expected=1, missing_since=since, absent=(GONE,))
    return make_snapshot("listens", LISTENER, Phase.WAITING, attendance=attendance)


@pytest.mark.parametrize(
    ("fraction", "severity"),
    [(None, "good"), (0.0, "good"), (3e-5, "good"), (5e-5, "attention"), (2e-4, "fault"), (0.045, "fault")],
)
def test_more_than_one_packet_in_ten_thousand_lost_at_the_receiver_is_a_fault(
    fraction: float | None, severity: str
) -> None:
    verdict = judge(losing(fraction), NOW)
    assert verdict.severity == severity
    assert verdict.loss_severity == ("idle" if fraction is None else severity)


def test_a_reached_cap_is_named_as_the_cause() -> None:
    snapshot = losing(0.045, is_held_back=True)
    verdict = judge(snapshot, NOW)
    assert verdict.concern is Concern.RESENDS_HELD_BACK
    assert remark_text(verdict, snapshot) == "retransmissions are delayed: the sending cap is reached"


@pytest.mark.parametrize(("age_s", "severity"), [(0.0, "attention"), (9.9, "attention"), (10.0, "fault")])
def test_a_missing_receiver_wants_a_look_at_once_and_is_a_fault_after_ten_seconds(age_s: float, severity: str) -> None:
    snapshot = missing(NOW - age_s)
    verdict = judge(snapshot, NOW)
    assert (verdict.severity, verdict.concern) == (severity, Concern.RECEIVERS_MISSING)
    remark = remark_text(verdict, snapshot)
    assert remark is not None
    assert GONE in remark
    assert "1 of 1 receivers missing since" in remark


def test_a_killed_receiver_is_no_fault_before_its_ten_seconds_though_the_stream_stalls() -> None:
    stalled = msgspec.structs.replace(
        stream(Phase.STALLED, reason=Reason.NO_ACKNOWLEDGEMENT), attendance=missing(NOW - 3).attendance
    )
    assert judge(stalled, NOW).severity == "attention"
    assert judge(stalled, NOW + 8).severity == "fault"
    assert judge(msgspec.structs.replace(stalled, attendance=Attendance()), NOW).severity == "fault"


@pytest.mark.parametrize(("age_s", "severity"), [(1.0, Severity.ATTENTION), (59.0, "attention"), (61.0, "good")])
def test_errors_of_the_source_want_a_look_for_a_minute(age_s: float, severity: str) -> None:
    verdict = judge(stream(source_errors_at=NOW - age_s), NOW)
    assert verdict.severity == severity
    assert verdict.concern is (Concern.SOURCE_ERRORS if severity == "attention" else None)


@pytest.mark.parametrize(("rtt_ms", "severity"), [(40.0, "good"), (70.0, "attention"), (100.0, "attention")])
def test_the_ratio_and_its_stream_have_one_severity_and_the_page_no_thresholds(rtt_ms: float, severity: str) -> None:
    snapshot = make_snapshot("listens", LISTENER, Phase.DELIVERING, peers=(make_peer(rtt_ms=rtt_ms),), payload_mbps=8.0)
    verdict = judge(snapshot, NOW)
    assert verdict.ratio_severity == verdict.severity == severity


def test_a_stopped_stream_misses_no_one() -> None:
    attendance = Attendance(expected=1, missing_since=NOW - 100)
    stopped = make_snapshot("listens", LISTENER, Phase.STOPPED, attendance=attendance)
    assert judge(stopped, NOW).severity == "idle"


@pytest.mark.parametrize(("age_s", "is_stale"), [(1.0, False), (3.5, True)])
def test_figures_are_stale_after_three_seconds(age_s: float, is_stale: bool) -> None:
    assert judge(stream(sample_age_s=age_s), NOW).is_stale is is_stale


@pytest.mark.parametrize(
    ("source", "input_bytes", "remark"),
    [
        (FileSource("once.ts", loop=False), 0, "the file begins with the first receiver"),
        (FileSource("once.ts", loop=False), 1880, None),
        (FileSource("looped.ts"), 0, None),
    ],
    ids=["not begun", "begun", "looped"],
)
def test_a_file_that_is_played_once_says_that_it_begins_with_its_first_receiver(
    source: FileSource, input_bytes: int, remark: str | None
) -> None:
    snapshot = make_snapshot("once", SendSpec(ListenerEndpoint(10001), source), Phase.WAITING)
    assert snapshot.sample is not None
    sample = msgspec.structs.replace(snapshot.sample, input=Input(bytes_total=input_bytes))
    snapshot = msgspec.structs.replace(snapshot, sample=sample)
    assert remark_text(judge(snapshot, NOW), snapshot) == remark


def test_the_direct_engine_is_offered_only_where_packets_are_discarded_or_the_clock_is_scrambled() -> None:
    assert direct_engine_offer(stream()) is None
    scrambled = make_snapshot("listens", LISTENER, Phase.FAILED, reason=Reason.SCRAMBLED)
    offer = direct_engine_offer(scrambled)
    assert offer is not None
    assert offer.endswith("No receiver is connected.")
