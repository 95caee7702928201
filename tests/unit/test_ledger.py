"""The worker's counters: what is added up, what is kept, and for how long."""

from __future__ import annotations

import msgspec
import pytest

from app.protocol import HISTORY_SECONDS, Input, Peer
from app.worker.ledger import Ledger

NOTHING = Input()


def peer(number: int = 1, *, sent: int = 0, **gauges: object) -> Peer:
    """Return a connection that has sent this many packets."""
    made = Peer(
        id=number,
        address=f"192.0.2.{number}:5000",
        connected_at=0.0,
        payload_bytes_total=sent * 1316,
        wire_bytes_total=sent * 1360,
        packets_sent_unique_total=sent,
        packets_retransmitted_total=sent // 10,
        packets_dropped_total=0,
        acks_total=sent,
        naks_total=0,
        rtt_ms=1.0,
        link_capacity_mbps=100.0,
    )
    return msgspec.structs.replace(made, **gauges)


def sent_after(*readings: list[Peer]) -> int:
    """Unique packets in the book after these readings."""
    ledger = Ledger()
    return [ledger.sample(float(at), peers, NOTHING) for at, peers in enumerate(readings)][
        -1
    ].point.packets_sent_unique_total


def test_counters_of_all_peers_are_added_up() -> None:
    assert sent_after([peer(1, sent=100), peer(2, sent=50)]) == 150
    assert sent_after([peer(1, sent=100)], [peer(1, sent=130), peer(2, sent=50)]) == 180


def test_what_a_peer_got_that_left_stays_in_the_book() -> None:
    assert sent_after([peer(1, sent=100)], [], []) == 100
    assert sent_after([peer(1, sent=100)], [], [peer(2, sent=5)]) == 105


def test_a_peer_that_was_followed_between_two_samples_counts_though_no_sample_saw_it() -> None:
    ledger = Ledger()
    ledger.follow([peer(1, sent=40)])
    ledger.follow([peer(1, sent=70)])
    ledger.follow([])
    assert ledger.sample(1.0, [], NOTHING).point.packets_sent_unique_total == 70


def test_a_counter_that_fell_began_anew() -> None:
    assert sent_after([peer(1, sent=100)], [peer(1, sent=30)]) == 130


def test_of_several_peers_the_worst_rtt_and_the_fullest_buffer_are_told() -> None:
    peers = [peer(1, rtt_ms=3.0, send_buffer_ms=10), peer(2, rtt_ms=40.0, send_buffer_ms=None)]
    point = Ledger().sample(1.0, peers, NOTHING).point
    assert (point.peers, point.rtt_ms, point.send_buffer_ms) == (2, 40.0, 10)


@pytest.mark.parametrize("peers", [[], [peer(1, send_buffer_ms=None)]])
def test_a_buffer_that_nobody_knows_is_unknown_and_not_zero(peers: list[Peer]) -> None:
    assert Ledger().sample(1.0, peers, NOTHING).point.send_buffer_ms is None


def test_nobody_there_means_no_rtt() -> None:
    assert Ledger().sample(1.0, [], NOTHING).point.rtt_ms is None


def test_the_input_is_booked_beside_the_link() -> None:
    source = Input(bytes_total=7, continuity_errors_total=2)
    sample = Ledger().sample(1.0, [], source)
    assert sample.input == source
    assert (sample.point.input_bytes_total, sample.point.continuity_errors_total) == (7, 2)


@pytest.mark.parametrize(("counted_at", "input_at"), [(None, 5.0), (4.75, 4.75)])
def test_the_input_s_bytes_are_booked_for_when_they_were_counted(counted_at: float | None, input_at: float) -> None:
    source = Input(bytes_total=7, counted_at=counted_at)
    assert Ledger().sample(5.0, [], source).point.input_at == input_at


def test_an_hour_is_remembered_and_no_more() -> None:
    ledger = Ledger()
    samples = [ledger.sample(float(at), [peer(1, sent=at)], NOTHING) for at in range(HISTORY_SECONDS + 100)]
    assert ledger.points() == [sample.point for sample in samples[100:]]
    assert ledger.count == len(samples)
