"""Bounds of a relay: many callers, huge datagrams and datagrams that are not SRT are limited and reported."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from app.domain.events import NoticeCode
from app.domain.figures.relay import RelayFigures
from app.domain.spec import RelaySpec
from app.engines.relay.callers import CALLERS_MAX
from app.protocol import Notice
from tests.instruments.processes import pss_mb
from tests.instruments.relay_traffic import HANDSHAKE
from tests.instruments.waiting import free_port
from tests.instruments.worker import RunningWorker
from tests.peers.test_relay import relay_job

CALLERS = 1000
LARGEST_DATAGRAM = 65_507  # what UDP over IPv4 carries
QUEUE_BYTES = 64 * 1024 * 1024


@contextmanager
def bound(**impairment: Any) -> Iterator[tuple[RunningWorker, socket.socket, tuple[str, int]]]:
    """A relay worker, its target, and the address that callers send to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as target:
        target.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        target.bind(("127.0.0.1", 0))
        target.settimeout(5)
        job = relay_job(target.getsockname()[1], **impairment)
        assert isinstance(job.spec, RelaySpec)
        with RunningWorker(job) as relay:
            relay.wait_for_sample(lambda _: True)
            yield relay, target, ("127.0.0.1", job.spec.listen_port)


def figures_when(relay: RunningWorker, condition: Callable[[RelayFigures], bool]) -> RelayFigures:
    seen = relay.wait_for_sample(lambda sample: sample.relay is not None and condition(sample.relay)).relay
    assert seen is not None
    return seen


def notices(relay: RunningWorker, code: NoticeCode) -> list[str]:
    return [notice.text for notice in relay.link.heard(Notice) if notice.code is code]


def test_of_a_thousand_callers_the_first_five_hundred_are_relayed_and_the_rest_refused_once_aloud() -> None:
    port = free_port()
    with bound() as (relay, target, front):
        for number in range(CALLERS):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
                caller.bind((f"127.0.{1 + number // 250}.{1 + number % 250}", port))
                caller.sendto(HANDSHAKE + number.to_bytes(2, "big"), front)
        figures = figures_when(relay, lambda seen: seen.callers + seen.refused == CALLERS)
        sources = {target.recvfrom(100)[1] for _ in range(CALLERS_MAX)}
        said = notices(relay, NoticeCode.TOO_MANY_CALLERS)

    assert (figures.callers, figures.refused, len(sources)) == (CALLERS_MAX, CALLERS - CALLERS_MAX, CALLERS_MAX)
    assert len(said) == 1
    assert f"{CALLERS_MAX} callers are connected, the maximum" in said[0]


def test_what_does_not_begin_with_an_srt_handshake_is_not_relayed_and_reported_once() -> None:
    with bound() as (relay, target, front), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        for _ in range(20):
            caller.sendto(b"GET / HTTP/1.1\r\n\r\n" * 20, front)
        figures = figures_when(relay, lambda seen: seen.strangers == 20)
        said = notices(relay, NoticeCode.NOT_SRT)
        caller.sendto(HANDSHAKE, front)
        first = target.recvfrom(100)[0]

    assert (figures.callers, figures.to_target.datagrams) == (0, 0)
    assert len(said) == 1
    assert "does not begin with an SRT handshake" in said[0]
    assert first == HANDSHAKE


def test_the_largest_datagrams_pass_whole_in_both_directions() -> None:
    largest = bytes(number % 251 for number in range(LARGEST_DATAGRAM))
    with bound() as (_, target, front), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        caller.settimeout(5)
        caller.sendto(HANDSHAKE, front)
        back = target.recvfrom(100)[1]
        caller.sendto(largest, front)
        assert target.recv(1 << 16) == largest
        target.sendto(largest, back)
        assert caller.recv(1 << 16) == largest


def test_the_largest_datagrams_cannot_fill_the_memory() -> None:
    way = {"delay_ms": 10_000}
    sent = 2 * QUEUE_BYTES // LARGEST_DATAGRAM
    with (
        bound(to_target=way) as (relay, _, front),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller,
    ):
        empty_mb = pss_mb(relay.child.pid)
        caller.sendto(HANDSHAKE, front)
        figures_when(relay, lambda seen: seen.callers == 1)
        for _ in range(sent):
            time.sleep(0.001)  # what comes faster overflows the socket's buffer and never reaches the queue
            caller.sendto(bytes(LARGEST_DATAGRAM), front)
        figures = figures_when(relay, lambda seen: seen.to_target.queue_full > 0)
        full_mb = pss_mb(relay.child.pid)

    held = (figures.to_target.datagrams - 1 - figures.to_target.queue_full) * LARGEST_DATAGRAM
    assert 0 <= held - QUEUE_BYTES <= LARGEST_DATAGRAM
    assert full_mb - empty_mb < 1.2 * QUEUE_BYTES / 1024**2
