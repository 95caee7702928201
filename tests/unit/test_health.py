"""Whether a stream flows, judged from its samples second by second."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from app.domain.spec import FileSource, ListenerEndpoint, MulticastSource, SendSpec, Source
from app.protocol import Input, Peer, Point, Sample
from app.supervisor.health import FlowWatch

FILE = FileSource(path="bars.ts")
MULTICAST = MulticastSource(address="239.1.1.1", port=5000)


def peer(acks_total: int) -> Peer:
    """Return a receiver that has acknowledged `acks_total` times."""
    others: dict[str, Any] = dict.fromkeys(
        (name for name in Peer.__struct_fields__ if name.endswith("_total") and name != "acks_total"), 0
    )
    return Peer(
        id=1,
        address="192.0.2.7:4000",
        connected_at=100.0,
        acks_total=acks_total,
        rtt_ms=20.0,
        link_capacity_mbps=100.0,
        **others,
    )


def sample(at: float, acks_total: int, *, is_connected: bool = True, input_age_s: float | None = 0.0) -> Sample:
    """Return the sample at second `at`; the stream's total of acknowledgements stays when its receiver leaves."""
    return Sample(
        point=Point(at=at, acks_total=acks_total),
        peers=[peer(acks_total)] if is_connected else [],
        input=Input(last_packet_age_s=input_age_s),
    )


def carrying(source: Source) -> SendSpec:
    """Return a send stream of this source."""
    return SendSpec(ListenerEndpoint(10001), source)


def acknowledged(source: Source, acks: list[int]) -> list[bool]:
    """Return the watch's result for a connection with these acknowledgement counts, one for each second."""
    watch = FlowWatch(carrying(source))
    return [watch.health(sample(100.0 + at, total)).acknowledged for at, total in enumerate(acks)]


def test_two_seconds_without_acknowledgements_are_a_fault_and_one_is_a_hiccup() -> None:
    assert acknowledged(FILE, [90, 180, 180, 270, 360, 360, 360]) == [True, True, True, True, True, True, False]


@pytest.mark.parametrize("late_s", [-0.02, 0.02])
def test_the_fault_is_told_by_the_second_silent_sample_however_punctual_it_is(late_s: float) -> None:
    watch = FlowWatch(carrying(FILE))
    assert watch.health(sample(100.0, 90)).acknowledged
    assert watch.health(sample(101.0, 90)).acknowledged
    assert not watch.health(sample(102.0 + late_s, 90)).acknowledged


def test_a_connection_that_never_acknowledged_is_not_connected_for_three_seconds_and_then_a_fault() -> None:
    watch = FlowWatch(carrying(FILE))
    seen = [watch.health(sample(100.0 + at, 0)) for at in range(4)]
    assert [health.connected for health in seen] == [False, False, False, True]
    assert not any(health.acknowledged for health in seen)


def test_a_receiver_that_comes_back_must_acknowledge_anew() -> None:
    watch = FlowWatch(carrying(FILE))
    assert watch.health(sample(100.0, 90)).acknowledged
    assert not watch.health(sample(101.0, 90, is_connected=False)).connected
    assert not watch.health(sample(102.0, 90)).acknowledged


@pytest.mark.parametrize(("sent", "discarded", "expected"), [(0, 50, True), (9, 50, False), (0, 0, False)])
def test_a_silence_is_the_sources_when_all_that_comes_is_discarded(sent: int, discarded: int, expected: bool) -> None:
    watch = FlowWatch(carrying(MULTICAST))
    first, then = sample(100.0, 0), sample(101.0, 0)
    watch.health(first)
    then = msgspec.structs.replace(
        then,
        point=msgspec.structs.replace(then.point, packets_sent_unique_total=sent),
        input=msgspec.structs.replace(then.input, packets_discarded_total=discarded),
    )
    assert watch.health(then).is_input_discarded is expected


def test_only_a_live_source_can_fall_silent() -> None:
    for source, expected in ((FILE, True), (MULTICAST, False)):
        assert FlowWatch(carrying(source)).health(sample(100.0, 90, input_age_s=1.6)).has_input is expected
    assert FlowWatch(carrying(MULTICAST)).health(sample(100.0, 90, input_age_s=1.4)).has_input
    assert not FlowWatch(carrying(MULTICAST)).health(sample(100.0, 90, input_age_s=None)).has_input
