"""Severity and log of a stream that is tried again: the same at each try."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from app.domain.events import EventKind, LogEntry, Refusal
from app.domain.figures.sample import Input, Point, Sample
from app.domain.secret import Secret
from app.domain.snapshot import Snapshot
from app.domain.spec import BarsSource, CallerEndpoint, Encryption, ListenerEndpoint, SendSpec
from app.domain.status import Phase, Reason
from app.domain.verdict import judge as judge_at
from app.web.presenters.events import present_latest
from app.words.concerns import remark_text
from tests.web.client import Client
from tests.web.fake_manager import FakeManager
from tests.web.fake_streams import make_peer, make_snapshot

CALLER = SendSpec(CallerEndpoint("192.0.2.9", 9000), BarsSource(), "Calls")
LISTENER = SendSpec(ListenerEndpoint(10001), BarsSource(), "Listens")


def judge(snapshot: Snapshot) -> tuple[str, str | None]:
    """Severity and remark, now."""
    verdict = judge_at(snapshot, time.time())
    return verdict.severity, remark_text(verdict, snapshot)


@pytest.mark.parametrize("phase", [Phase.BACKING_OFF, Phase.STARTING, Phase.WAITING])
def test_a_caller_that_tries_again_stays_a_fault_until_it_delivers(
    phase: Phase, script: Client, manager: FakeManager
) -> None:
    manager.streams = {"calls": make_snapshot("calls", CALLER, phase, reason=Reason.CONNECTION_TIMEOUT)}

    assert script.get("/api/overview").json["overview"]["fault"] == 1
    assert script.get("/health").status_code == 503
    assert 'srt_stream_healthy{key="calls",name="Calls"} 0.0' in script.get("/metrics").get_data(as_text=True)


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.DELIVERING, Phase.STALLED])
def test_discarded_scrambled_packets_are_a_fault_with_their_count(phase: Phase) -> None:
    snapshot = _with_source(make_snapshot("listens", LISTENER, phase), bytes_total=10**8, scrambled=4711)

    assert judge(snapshot) == ("fault", "4711 scrambled packets discarded: no receiver gets them")


def test_one_damaged_packet_in_an_hour_is_no_lasting_fault() -> None:
    snapshot = _with_source(make_snapshot("listens", LISTENER, Phase.DELIVERING), bytes_total=10**9, errored=1)

    assert judge(snapshot)[0] == "good"


def _with_source(snapshot: Snapshot, *, bytes_total: Any, scrambled: Any = 0, errored: Any = 0) -> Any:
    source = Input(bytes_total=bytes_total).with_discards(scrambled=scrambled, errored=errored)
    return msgspec.structs.replace(snapshot, sample=Sample(point=Point(at=time.time()), peers=[], input=source))


@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.WAITING])
def test_a_first_try_is_no_fault(phase: Phase) -> None:
    assert judge(make_snapshot("calls", CALLER, phase)) == ("idle", None)


def test_a_listener_that_has_its_port_again_is_worth_a_look() -> None:
    snapshot = make_snapshot("listens", LISTENER, Phase.WAITING, reason=Reason.WORKER_CRASHED)

    assert judge(snapshot)[0] == "attention"


@pytest.mark.parametrize(("age_s", "severity"), [(5, "attention"), (300, "idle")])
def test_a_receiver_that_is_refused_now_is_worth_a_look(age_s: Any, severity: Any) -> None:
    spec = SendSpec(ListenerEndpoint(10001), BarsSource(), "Guest", encryption=Encryption(128, Secret("a" * 12)))
    at = time.time() - age_s
    refusal = Refusal("203.0.113.9", Reason.WRONG_PASSPHRASE, 1, at, at)

    assert judge(make_snapshot("guest", spec, Phase.WAITING, refusals=(refusal,)))[0] == severity


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.DELIVERING])
def test_a_worker_of_another_version_offers_a_restart_and_no_fault_is_hidden_by_that(
    phase: Phase, script: Client, manager: FakeManager
) -> None:
    snapshot = msgspec.structs.replace(make_snapshot("listens", LISTENER, phase), is_other_version=True)
    manager.streams = {"listens": snapshot}
    view = script.get("/api/dashboard").json["streams"][0]

    assert (view["severity"], "restart the stream" in view["remark"]) == ("attention", True)
    stalled = make_snapshot("listens", LISTENER, Phase.STALLED, reason=Reason.NO_ACKNOWLEDGEMENT)
    assert judge(msgspec.structs.replace(stalled, is_other_version=True)) == judge(stalled)


def test_the_round_trip_of_a_short_path_is_not_nothing(script: Client, manager: FakeManager) -> None:
    snapshot = make_snapshot("listens", LISTENER, Phase.DELIVERING, peers=(make_peer(rtt_ms=0.042),), payload_mbps=8.0)
    manager.streams = {"listens": snapshot}

    assert script.get("/api/streams/listens").json["rtt_ms"] == 0.04


def test_what_a_stream_says_again_and_again_takes_one_line() -> None:
    tries = enumerate("010101010")
    log = [LogEntry(100.0 - at, "calls", "Calls", EventKind.PHASE, f"try {which}") for at, which in tries]
    log.insert(4, LogEntry(96.5, "other", "Other", EventKind.PHASE, "delivering"))
    shown = present_latest(log, 6)

    assert [(one.name, one.text, one.count) for one in shown] == [
        ("Calls", "try 0", 5),
        ("Calls", "try 1", 4),
        ("Other", "delivering", 1),
    ]
    assert (shown[0].at[-3:], (shown[0].first_at or "")[-3:]) == ("40Z", "32Z")
