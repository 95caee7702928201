"""What the samples of a stream show in addition to its phase."""

from __future__ import annotations

from app.domain.events import EventKind
from app.domain.figures.sample import Input, Peer, Point, Sample
from app.domain.spec import BarsSource, CallerEndpoint, ListenerEndpoint, SendSpec
from app.supervisor.watch import StreamWatch

SPEC = SendSpec(ListenerEndpoint(10001), BarsSource(), receivers_expected=1)


def sample(at: float, *, sent: int = 0, acks: int = 0, errors: int = 0, is_there: bool = True) -> Sample:
    """Return a sample with one receiver or none."""
    peer = Peer(
        id=1,
        address="192.0.2.7:1",
        connected_at=0.0,
        rtt_ms=1.0,
        link_capacity_mbps=1.0,
        packets_sent_unique_total=sent,
        acks_total=acks,
    )
    return Sample(Point(at=at, continuity_errors_total=errors), [peer] if is_there else [], Input())


def test_a_receiver_that_acknowledges_nothing_any_more_is_not_there() -> None:
    watch = StreamWatch()
    for second in range(3):
        watch.follow(sample(second, sent=700 * second, acks=100 * second), SPEC, float(second))
    assert watch.attendance.missing == 0
    kinds = []
    for second in (3, 4, 5):
        kinds += [kind for kind, _ in watch.follow(sample(second, sent=700 * second, acks=200), SPEC, float(second))]
    assert (watch.attendance.missing, watch.attendance.absent) == (1, ("192.0.2.7:1",))
    assert kinds == [EventKind.MISSING]


def test_a_receiver_that_is_sent_nothing_need_not_acknowledge() -> None:
    watch = StreamWatch()
    for second in range(6):
        watch.follow(sample(second, sent=700, acks=100), SPEC, float(second))
    assert watch.attendance.missing == 0


def test_a_worker_that_ends_takes_its_receivers_along_and_their_return_is_noted() -> None:
    watch = StreamWatch()
    watch.follow(sample(0), SPEC, 0.0)
    assert [kind for kind, _ in watch.end_worker(SPEC, 1.0)] == [EventKind.MISSING]
    assert [kind for kind, _ in watch.follow(sample(2), SPEC, 2.0)] == [EventKind.PRESENT]


def test_a_caller_has_its_own_reasons_for_a_lost_far_end() -> None:
    watch = StreamWatch()
    spec = SendSpec(CallerEndpoint("192.0.2.9", 9000), BarsSource(), receivers_expected=1)
    assert watch.follow(sample(0, is_there=False), spec, 0.0) == []
    assert watch.attendance.missing == 0


def test_errors_of_the_source_are_noted_in_the_second_that_they_come() -> None:
    watch = StreamWatch()
    assert watch.follow(sample(0), SPEC, 0.0) == []
    assert [kind for kind, _ in watch.follow(sample(1, errors=3), SPEC, 1.0)] == [EventKind.SOURCE_ERROR]
    assert watch.source_errors_at == 1.0
    assert watch.follow(sample(2, errors=3), SPEC, 2.0) == []


def test_what_was_learnt_survives_a_restart_of_the_web_process() -> None:
    """The worker stayed on air; its history has the receiver that left before the new process read it."""
    spec = SendSpec(ListenerEndpoint(10001), BarsSource())
    watch = StreamWatch()
    watch.recall([Point(at=float(at), peers=1 if at < 90 else 0) for at in range(100)], spec)
    assert watch.attendance.expected == 1
    watch.follow(sample(101.0, is_there=False), spec, 101.0)
    assert watch.attendance.missing == 1


def test_errors_before_a_restart_of_the_web_process_are_not_errors_of_now() -> None:
    watch = StreamWatch()
    watch.recall([Point(at=1.0), Point(at=2.0, continuity_errors_total=3)], SPEC)
    assert watch.follow(sample(3, errors=3), SPEC, 3.0) == []
    assert watch.source_errors_at is None
    assert [kind for kind, _ in watch.follow(sample(4, errors=4), SPEC, 4.0)] == [EventKind.SOURCE_ERROR]


def test_errors_while_the_link_to_the_worker_was_broken_are_noted_when_it_is_back() -> None:
    watch = StreamWatch()
    watch.follow(sample(1), SPEC, 1.0)
    watch.recall([Point(at=1.0), Point(at=2.0, continuity_errors_total=3)], SPEC)
    assert [kind for kind, _ in watch.follow(sample(3, errors=3), SPEC, 3.0)] == [EventKind.SOURCE_ERROR]
