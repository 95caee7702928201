"""Forwarding as UDP and RTP: every byte, one datagram for each payload, evenly spaced."""

from __future__ import annotations

import itertools
import math
import random
import socket
import statistics
import struct
from collections import deque

import pytest

from app.engines.receiver.outputs.forwarding import Forwarding, ForwardPlan, Pacer, RtpPacker
from tests.instruments.ts_maker import Recipe, make_ts
from tests.instruments.waiting import free_port, wait_for

STREAM = make_ts(Recipe(seconds=2.0, bitrate_bps=8_000_000))
PAYLOADS = [STREAM[at : at + 1316] for at in range(0, len(STREAM), 1316)]


class Listener:
    """A UDP socket on loopback that notes when datagrams came, by the kernel's clock."""

    def __init__(self, *, group: str | None = None) -> None:
        self.port = free_port()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
        self._socket.bind((group or "127.0.0.1", self.port))
        self._socket.setblocking(False)
        if group:
            joined = struct.pack("4s4si", socket.inet_aton(group), b"", socket.if_nametoindex("lo"))
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
        self.datagrams: list[bytes] = []
        self.times: list[float] = []
        self.ttl: int | None = None
        self._socket.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL

    def read(self) -> int:
        """Read what came; how many there are now."""
        while True:
            try:
                data, more, _, _ = self._socket.recvmsg(2048, 256)
            except BlockingIOError:
                return len(self.datagrams)
            self.datagrams.append(data)
            for level, kind, value in more:
                if (level, kind) == (socket.SOL_SOCKET, 35):
                    seconds, nanoseconds = struct.unpack("qq", value)
                    self.times.append(seconds + nanoseconds / 1e9)
                elif (level, kind) == (socket.IPPROTO_IP, socket.IP_TTL):
                    self.ttl = struct.unpack("i", value)[0]

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


@pytest.fixture
def listener() -> object:
    """A listener on loopback."""
    made = Listener()
    yield made
    made.close()


def test_every_payload_is_a_datagram_of_the_same_bytes(listener: Listener) -> None:
    forwarding = Forwarding(ForwardPlan("127.0.0.1", listener.port))
    forwarding.take(PAYLOADS[:300])
    wait_for(lambda: listener.read() == 300, deadline_s=10, what="300 datagrams", every_s=0.01)
    forwarding.stop()
    assert listener.datagrams == PAYLOADS[:300]
    report = forwarding.report()
    assert (report.datagrams_total, report.bytes_total, report.datagrams_missing) == (300, 300 * 1316, 0)


def paced(
    bitrate_bps: int, *, group_s: float, wake_up_s: float = 0.0001, stop: tuple[float, float] = (0.0, 0.0)
) -> list[float]:
    """Return the send times of six simulated seconds. Payloads come in groups; those of a pause come at its end."""
    dice = random.Random(7)
    nominal = 1316 * 8 / bitrate_bps
    arrivals: deque[float] = deque()
    for index in range(int(6 / nominal)):
        came = math.ceil(index * nominal / group_s) * group_s
        arrivals.append(stop[1] if stop[0] <= came < stop[1] else came)
    pacer, now, waiting, times = Pacer(0.0), 0.0, 0, []
    while arrivals or waiting:
        if not waiting:
            now = max(now, arrivals[0])
        came = 0
        while arrivals and arrivals[0] <= now:
            arrivals.popleft()
            came += 1
        if came:
            pacer.count(came, now)
            waiting += came
        now = max(now, pacer.due(waiting)) + dice.uniform(0, wake_up_s)
        pacer.sent(waiting, now)
        times.append(now)
        waiting -= 1
    return times


def gaps_after(times: list[float], begin_s: float) -> list[float]:
    """Gaps between datagrams, shortest first, from a time on until half a second before the end."""
    kept = [at for at in times if begin_s <= at < times[-1] - 0.5]
    return sorted(after - before for before, after in itertools.pairwise(kept))


@pytest.mark.parametrize(
    ("bitrate_bps", "group_s"), [(8_000_000, 0.01), (8_000_000, 0.04), (2_000_000, 0.01), (50_000_000, 0.01)]
)
def test_datagrams_are_evenly_spaced_although_payloads_come_in_groups(bitrate_bps: int, group_s: float) -> None:
    gaps = gaps_after(paced(bitrate_bps, group_s=group_s, wake_up_s=0.00005), 1.0)
    nominal = 1316 * 8 / bitrate_bps
    assert statistics.mean(gaps) == pytest.approx(nominal, rel=0.02)
    assert gaps[int(len(gaps) * 0.99)] <= 3 * nominal


def test_late_wake_ups_do_not_make_bursts() -> None:
    gaps = gaps_after(paced(8_000_000, group_s=0.01, wake_up_s=0.002), 1.0)
    nominal = 1316 * 8 / 8_000_000
    assert gaps[int(len(gaps) * 0.99)] <= 3 * nominal


def test_what_a_stop_held_back_leaves_at_no_more_than_four_times_the_usual_rate() -> None:
    times = paced(8_000_000, group_s=0.01, wake_up_s=0.0, stop=(3.0, 3.6))
    nominal = 1316 * 8 / 8_000_000
    assert min(gaps_after(times, 2.0)) >= nominal / 4 * 0.99
    assert len(times) == int(6 / nominal)


def test_rtp_headers_are_numbered_and_the_payload_is_unchanged(listener: Listener) -> None:
    forwarding = Forwarding(ForwardPlan("127.0.0.1", listener.port, protocol="rtp"))
    forwarding.take(PAYLOADS[:50])
    wait_for(lambda: listener.read() == 50, deadline_s=10, what="50 datagrams", every_s=0.01)
    forwarding.stop()
    headers = [struct.unpack(">BBHII", datagram[:12]) for datagram in listener.datagrams]
    assert [datagram[12:] for datagram in listener.datagrams] == PAYLOADS[:50]
    assert {header[:2] for header in headers} == {(0x80, 33)}
    assert {(after[2] - before[2]) & 0xFFFF for before, after in itertools.pairwise(headers)} == {1}
    assert len({header[4] for header in headers}) == 1


def test_rtp_times_run_at_90_khz() -> None:
    packer = RtpPacker()
    first, second = (struct.unpack(">BBHII", packer.pack(b"", at))[3] for at in (10.0, 11.5))
    assert (second - first) & 0xFFFFFFFF == 135_000


def test_a_group_is_sent_to_on_the_chosen_interface_with_the_chosen_ttl() -> None:
    listener = Listener(group="239.200.1.9")
    forwarding = Forwarding(ForwardPlan("239.200.1.9", listener.port, interface="lo", ttl=7))
    forwarding.take(PAYLOADS[:3])
    try:
        wait_for(lambda: listener.read() == 3, deadline_s=10, what="3 datagrams", every_s=0.01)
        assert listener.datagrams == PAYLOADS[:3]
        assert listener.ttl == 7
    finally:
        forwarding.stop()
        listener.close()


def test_an_interface_that_is_not_there_is_an_error_at_once() -> None:
    with pytest.raises(OSError, match="no interface"):
        Forwarding(ForwardPlan("239.200.1.9", 5000, interface="nowhere9"))


def test_a_network_that_refuses_is_counted_and_named() -> None:
    forwarding = Forwarding(ForwardPlan("255.255.255.255", 5000))
    forwarding.take(PAYLOADS[:5])
    wait_for(lambda: forwarding.report().datagrams_missing == 5, deadline_s=10, what="5 refused")
    forwarding.stop()
    assert forwarding.report().last_error == "Permission denied"
