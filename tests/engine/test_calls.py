"""Calls that fail: one attempt, and the reason that the far end or the network gives."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from app.domain.secret import Secret
from app.domain.spec import CallerEndpoint, Encryption, FileSource
from app.domain.status import Reason
from app.protocol import Ended, PeerEvent, Sample
from tests.instruments.receivers import Receiver
from tests.instruments.waiting import free_port, wait_for
from tests.instruments.worker import RunningWorker, job_for

RIGHT, WRONG = "the right passphrase", "another passphrase"


def calling(sample: Path, port: int, *, host: str = "127.0.0.1", passphrase: str = "") -> RunningWorker:
    """Return a worker that calls, and loops the sample once it is answered."""
    encryption = Encryption(128, Secret(passphrase)) if passphrase else None
    endpoint = CallerEndpoint(host, port)
    return RunningWorker(
        job_for(FileSource("bars.ts"), port=port, file_path=sample, endpoint=endpoint, encryption=encryption)
    )


def test_an_answered_call_delivers_to_the_address_that_was_called(sample: Path) -> None:
    port = free_port()
    with Receiver.listening(port) as receiver, calling(sample, port) as worker:
        (peer,) = worker.link.wait_for(Sample, lambda seen: seen.peers).peers
        assert peer.address == f"127.0.0.1:{port}"
        assert worker.link.wait_for(PeerEvent).change == "connected"
        receiver.wait_for_bytes(500_000)


def test_a_dead_port_is_a_time_out_after_three_seconds(sample: Path) -> None:
    with calling(sample, free_port()) as worker:
        worker.link.wait_for(Sample)
        start = time.monotonic()
        end = worker.wait_for_end()
        assert end.reason is Reason.CONNECTION_TIMEOUT
        assert time.monotonic() - start < 6
        assert not any(seen.peers for seen in worker.link.heard(Sample))


@pytest.mark.parametrize(
    ("ours", "theirs", "reason"),
    [
        (WRONG, RIGHT, Reason.WRONG_PASSPHRASE),
        ("", RIGHT, Reason.PASSPHRASE_REQUIRED),
        (RIGHT, "", Reason.PASSPHRASE_REQUIRED),
    ],
    ids=["wrong", "we have none", "they have none"],
)
def test_a_far_end_that_refuses_is_called_once_and_its_reason_told(
    sample: Path, ours: str, theirs: str, reason: Reason
) -> None:
    port = free_port()
    with Receiver.listening(port, passphrase=theirs), calling(sample, port, passphrase=ours) as worker:
        end = worker.wait_for_end()
    assert end.reason is reason
    assert end.detail
    assert RIGHT not in end.detail
    assert WRONG not in end.detail


def test_a_host_that_does_not_exist_is_told_at_once(sample: Path) -> None:
    with calling(sample, free_port(), host="receiver.invalid") as worker:
        assert worker.wait_for_end().reason is Reason.HOST_NOT_FOUND


def test_a_listener_whose_port_is_held_says_so(sample: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", free_port()))
        port = other.getsockname()[1]
        with RunningWorker(job_for(FileSource("bars.ts"), port=port, file_path=sample)) as worker:
            assert worker.wait_for_end().reason is Reason.PORT_IN_USE


def test_a_far_end_that_hangs_up_is_a_lost_connection(sample: Path) -> None:
    port = free_port()
    with Receiver.listening(port) as receiver, calling(sample, port) as worker:
        worker.link.wait_for(Sample, lambda seen: seen.peers)
        receiver.wait_for_bytes(200_000)
        receiver.finish()
        assert worker.wait_for_end().reason is Reason.CONNECTION_LOST


def test_a_stop_while_it_rings_is_obeyed_at_once(sample: Path) -> None:
    with calling(sample, free_port()) as worker:
        wait_for(worker.socket_path.exists, deadline_s=10, what="the worker's socket")
        worker.child.process.terminate()
        assert worker.child.wait(deadline_s=3) == 0
        word = worker.last_word()
        assert isinstance(word, Ended)
        assert word.reason is None


def test_nothing_is_sent_in_a_burst_to_one_who_answers_late(sample: Path) -> None:
    port = free_port()
    with calling(sample, port) as worker:
        worker.link.wait_for(Sample)
        with Receiver.listening(port) as receiver:
            receiver.wait_for_seconds(2)
            first = receiver.figures().seconds[0]
    assert first < 1.2 * 8_000_000 / 8
