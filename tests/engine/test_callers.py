"""Who calls a listener: let in, refused and why, gone again; and that all of them are found among libsrt's sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import msgspec
import pytest

from app.domain.secret import Secret
from app.domain.spec import Encryption, FileSource
from app.domain.spec.send import SendEngine
from app.domain.status import Reason
from app.engines.gstreamer.gst import Gio
from app.engines.gstreamer.refusals import CallerWatch
from app.protocol import Notice, PeerEvent, Sample
from tests.instruments import calls
from tests.instruments.receivers import Receiver
from tests.instruments.specs import listener_port
from tests.instruments.waiting import free_port, wait_for
from tests.instruments.worker import RunningWorker, job_for

RIGHT, WRONG = "the right passphrase", "another passphrase"


def on_air(sample: Path, **spec: object) -> RunningWorker:
    """Return a listener that loops the sample."""
    return RunningWorker(job_for(FileSource("bars.ts"), port=free_port(), file_path=sample, **spec))


def port_of(worker: RunningWorker) -> int:
    """Return the listener's port."""
    return listener_port(worker.job.spec)


def let_in_at_last(port: int, **wanted: object) -> Receiver:
    """Return a receiver that calls again until it is let in, as receivers do."""

    def connected() -> Receiver | None:
        receiver = Receiver.calling(port, **wanted)
        if receiver.wait_for_state("connected", "refused").state == "connected":
            return receiver
        receiver.close()
        return None

    made = wait_for(connected, deadline_s=20, what="a receiver that is let in", every_s=0.2)
    assert made is not None
    return made


@pytest.fixture
def encrypted(sample: Path) -> Iterator[RunningWorker]:
    """An encrypted listener."""
    with on_air(sample, encryption=Encryption(128, Secret(RIGHT))) as worker:
        worker.link.wait_for(Sample)
        yield worker


def test_a_caller_is_told_when_it_comes_and_when_it_goes(encrypted: RunningWorker) -> None:
    with Receiver.calling(port_of(encrypted), passphrase=RIGHT, stream_id="studio 3") as receiver:
        came = encrypted.link.wait_for(PeerEvent)
        assert (came.change, came.reason, came.stream_id) == ("connected", None, "studio 3")
        assert came.address.startswith("127.0.0.1:")
        receiver.wait_for_bytes(200_000)
        receiver.finish()
    gone = encrypted.link.wait_for(PeerEvent, lambda event: event.change == "disconnected")
    assert gone.address == came.address


@pytest.mark.parametrize(
    ("passphrase", "reason"),
    [(WRONG, Reason.WRONG_PASSPHRASE), ("", Reason.PASSPHRASE_REQUIRED)],
    ids=["wrong", "none"],
)
def test_a_caller_that_is_refused_is_told_with_the_reason_and_its_address(
    encrypted: RunningWorker, passphrase: str, reason: Reason
) -> None:
    with Receiver.calling(port_of(encrypted), passphrase=passphrase) as receiver:
        receiver.wait_for_state("refused")
        event = encrypted.link.wait_for(PeerEvent)
    assert (event.change, event.reason) == ("refused", reason)
    assert event.address.startswith("127.0.0.1:")
    assert encrypted.wait_for_sample(lambda seen: True).peers == []


def test_a_caller_with_a_passphrase_is_refused_where_there_is_none(sample: Path) -> None:
    with on_air(sample) as worker:
        worker.link.wait_for(Sample)
        with Receiver.calling(port_of(worker), passphrase=WRONG) as receiver:
            receiver.wait_for_state("refused")
            event = worker.link.wait_for(PeerEvent)
        assert (event.change, event.reason) == ("refused", Reason.PASSPHRASE_REQUIRED)


def test_a_receiver_is_found_after_two_hundred_refused_calls(encrypted: RunningWorker) -> None:
    with Receiver.calling(port_of(encrypted), passphrase=RIGHT, latency_ms=350) as early:
        encrypted.wait_for_sample(lambda seen: len(seen.peers) == 1)
        answer = calls.in_turn(port_of(encrypted), 200, passphrase=WRONG)
        assert (answer["refused"], answer["connected"]) == (200, 0)
        with let_in_at_last(port_of(encrypted), passphrase=RIGHT, latency_ms=500) as late:
            seen = encrypted.wait_for_sample(lambda seen: len(seen.peers) == 2)
            assert [peer.negotiated_latency_ms for peer in seen.peers] == [350, 500]
            assert all(peer.encryption_state == "secured" and peer.key_bits == 128 for peer in seen.peers)
            for receiver in (early, late):
                receiver.wait_for_bytes(receiver.figures().bytes + 100_000)
    reasons = [event.reason for event in encrypted.link.heard(PeerEvent) if event.change == "refused"]
    # So many of one address at once, and five more a second; what is beyond that is refused before the passphrase.
    assert reasons.count(Reason.WRONG_PASSPHRASE) >= 64
    assert set(reasons) <= {Reason.WRONG_PASSPHRASE, Reason.CONNECTION_REJECTED}


@pytest.mark.parametrize("count", [2, 50])
def test_receivers_that_call_in_the_same_moment_are_all_let_in(sample: Path, count: int) -> None:
    with on_air(sample) as worker:
        worker.link.wait_for(Sample)
        answer = calls.together(port_of(worker), count)
        assert (answer["refused"], answer["connected"]) == (0, count)
        worker.link.wait_for(PeerEvent, lambda event: event.change == "disconnected")
        events = [event for event in worker.link.heard(PeerEvent) if event.change != "disconnected"]
    assert [event.change for event in events] == ["connected"] * count
    assert len({event.address for event in events}) == count


def test_a_receiver_that_is_turned_away_is_not_taken_for_the_one_that_was_let_in() -> None:
    sink, log, events = Mock(), Mock(), list[PeerEvent | Notice]()
    CallerWatch(sink, events.append, log, 64)
    signals = {call.args[0]: call.args[1] for call in sink.connect.call_args_list}
    hear, _level = log.call_args.args
    let_in, wrong = (Gio.InetSocketAddress.new_from_string(host, 4000) for host in ("192.0.2.7", "192.0.2.8"))

    signals["caller-connecting"](sink, let_in, None)
    hear("12:00:00/SRT:RcvQ:w1.N:SRT.cn: newConnection: listen backlog=1 EXCEEDED")
    hear("12:00:00/SRT:RcvQ:w1.N:SRT.cn: processConnectRequest: rsp(REJECT): 1005 - Listener's backlog exceeded")
    signals["caller-added"](sink, 1, let_in)
    signals["caller-connecting"](sink, wrong, None)
    hear("12:00:00/SRT:RcvQ:w1.N:SRT.cn: processConnectRequest: rsp(REJECT): 1010 - Password required or unexpected")

    kinds = [event.change if isinstance(event, PeerEvent) else event.code for event in events]
    assert kinds == ["caller_turned_away", "connected", "refused"]
    assert [event.address for event in events if isinstance(event, PeerEvent)] == ["192.0.2.7:4000", "192.0.2.8:4000"]


def test_a_peers_own_number_stays_while_others_come_and_go(encrypted: RunningWorker) -> None:
    with Receiver.calling(port_of(encrypted), passphrase=RIGHT):
        (first,) = encrypted.wait_for_sample(lambda seen: len(seen.peers) == 1).peers
        for _ in range(3):
            with Receiver.calling(port_of(encrypted), passphrase=RIGHT) as other:
                encrypted.wait_for_sample(lambda seen: len(seen.peers) == 2)
                other.finish()
            encrypted.wait_for_sample(lambda seen: len(seen.peers) == 1)
        (still,) = encrypted.wait_for_sample(lambda seen: True).peers
    assert (still.id, still.address) == (first.id, first.address)
    assert abs(still.connected_at - first.connected_at) < 0.1


def test_who_acknowledges_what_was_never_sent_is_shut_out_for_an_hour() -> None:
    sink, log, events = Mock(), Mock(), list[PeerEvent | Notice]()
    watch = CallerWatch(sink, events.append, log, 64)
    signals = {call.args[0]: call.args[1] for call in sink.connect.call_args_list}
    hear, _level = log.call_args.args
    attacker, other = (Gio.InetSocketAddress.new_from_string(host, 4000) for host in ("192.0.2.7", "192.0.2.8"))

    hear("12:00:00/SRT:RcvQ:w1*E:SRT.in: @42: ATTACK/IPE: incoming ack seq 9 exceeds current 5 by 4!")
    assert watch.punish({42: "192.0.2.7:3999"}.get) == [42]
    assert [event.code for event in events if isinstance(event, Notice)] == ["callers_limited"]
    assert not signals["caller-connecting"](sink, attacker, None)
    assert signals["caller-connecting"](sink, other, None)


def test_no_more_receivers_are_let_in_than_allowed() -> None:
    sink, events = Mock(), list[PeerEvent | Notice]()
    CallerWatch(sink, events.append, None, 2)
    signals = {call.args[0]: call.args[1] for call in sink.connect.call_args_list}
    callers = [Gio.InetSocketAddress.new_from_string("192.0.2.7", 4000 + number) for number in range(3)]

    assert [signals["caller-connecting"](sink, caller, None) for caller in callers] == [True, True, False]
    (event,) = events
    assert isinstance(event, PeerEvent)
    assert (event.change, event.address, event.reason) == ("refused", "192.0.2.7:4002", Reason.CONNECTION_REJECTED)


@pytest.mark.parametrize("engine", ["gstreamer", "direct"])
def test_connections_that_share_one_udp_port_count_each(sample: Path, engine: SendEngine) -> None:
    job = job_for(FileSource("bars.ts"), port=free_port(), file_path=sample, engine=engine)
    with RunningWorker(msgspec.structs.replace(job, receivers_max=5)) as worker:
        worker.link.wait_for(Sample)
        with calls.Crowd(port_of(worker), 20, from_port=free_port()) as crowd:
            assert crowd.connected == 5
            assert len(worker.wait_for_sample(lambda seen: len(seen.peers) == 5).peers) == 5
            crowd.hang_up(3)
            worker.wait_for_sample(lambda seen: len(seen.peers) == 2)
        with let_in_at_last(port_of(worker)) as receiver:
            receiver.wait_for_bytes(100_000)
