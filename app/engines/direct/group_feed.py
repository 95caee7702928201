"""A multicast group as a feed. Each message carries the kernel's time of arrival."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from typing import Final

from app.domain.constants import SRT_PAYLOAD_BYTES, TS_SYNC_BYTE
from app.domain.figures.sample import Input
from app.domain.spec import MulticastSource
from app.engines.direct.feed import GROUP_TURN_US, lag_max_us
from app.engines.direct.pace import Pace
from app.mpegts.continuity import ContinuityCheck, RtpGaps
from app.mpegts.marked_packets import MarkedPackets
from app.mpegts.packets import PACKET_BYTES
from app.protocol import Notify
from app.sources.multicast_socket import MulticastSocket
from app.srt.binding import time_now_us
from app.srt.messages import Batch, MessageBuffer

_DATAGRAMS_A_TURN: Final = 4_096
# Packets that fill no whole message wait up to this long for more of them.
_PARTIAL_US: Final = 20_000
_CLOCK_READINGS: Final = 3
# A datagram that is older, or from the future, got its time before the machine's clock was set. Datagrams may arrive
# while a turn reads, hence a little after the time of the turn.
_AGE_US: Final = (-100_000, 1_000_000)


class GroupFeed:
    """A Feed that receives a group. Raises CannotSend when it cannot join."""

    def __init__(self, source: MulticastSource, latency_ms: int, notify: Notify) -> None:
        self.turn_us = GROUP_TURN_US
        self._group = MulticastSocket(source, notify)
        self._group.stamp_datagrams()
        self._pace = Pace(turn_us=GROUP_TURN_US, lag_max_us=lag_max_us(latency_ms), is_live=True)
        self._continuity = ContinuityCheck()
        self._marked = MarkedPackets()
        self._gaps = RtpGaps() if source.protocol == "rtp" else None
        self._bytes_total = 0
        self._received_at: float | None = None
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._partial = bytearray()
        self._partial_us = 0.0

    def start(self, now_us: int) -> None:
        """Drop datagrams that arrived earlier: no receiver was connected."""
        self._group.receive(_DATAGRAMS_A_TURN)

    def due(self, now_us: int) -> list[Batch]:
        """Return the messages of the datagrams that came since the last turn."""
        self._receive()
        if self._partial and now_us - self._partial_us > _PARTIAL_US:
            self._cut(len(self._partial))
        if not self._waiting:
            return []
        pace, going = self._pace, list[tuple[float, bytes]]()
        until_us = pace.may_go(self._waiting[0][0], now_us, 0)
        while self._waiting and (time_us := pace.time_of(self._waiting[0][0])) <= until_us:
            due_us, data = self._waiting.popleft()
            going.append((time_us, data))
            pace.passed(due_us)
        return batches(going)

    def _receive(self) -> None:
        """Read the waiting datagrams, count their packets, and cut them into messages."""
        ahead_us, now_us = unix_ahead_us(), time_now_us()
        in_step = bytearray()
        for datagram, received_ns in self._group.receive(_DATAGRAMS_A_TURN):
            packets = datagram if self._gaps is None else self._gaps.payload(datagram)
            self._bytes_total += len(packets)
            self._received_at = time.monotonic()
            if _is_in_step(packets):
                in_step += packets
            else:
                self._continuity.check(packets)
            if packets and not len(packets) % PACKET_BYTES:
                self._take(packets, arrival_us(received_ns / 1000 - ahead_us, now_us))
        if in_step:
            self._continuity.check(in_step)
            self._marked.check(in_step)

    def _take(self, packets: bytes, received_us: float) -> None:
        if not self._partial:
            self._partial_us = received_us
            if len(packets) == SRT_PAYLOAD_BYTES:
                self._waiting.append((received_us, packets))
                return
        self._partial += packets
        while len(self._partial) >= SRT_PAYLOAD_BYTES:
            self._cut(SRT_PAYLOAD_BYTES)
            self._partial_us = received_us

    def _cut(self, size: int) -> None:
        self._waiting.append((self._partial_us, bytes(self._partial[:size])))
        del self._partial[:size]

    def has_ended(self) -> bool:
        """Never: silence is a phase, not an end."""
        return False

    def read_input(self) -> Input:
        """Return bytes of transport stream, continuity errors, RTP gaps and the age of the last datagram."""
        self._group.follow_card()
        age_s = None if self._received_at is None else time.monotonic() - self._received_at
        return Input(
            bytes_total=self._bytes_total,
            continuity_errors_total=self._continuity.errors_total,
            rtp_gaps_total=0 if self._gaps is None else self._gaps.gaps_total,
            last_packet_age_s=age_s,
            packets_scrambled_total=self._marked.scrambled_total,
            packets_errored_total=self._marked.errored_total,
        )

    def close(self) -> None:
        """Leave the group."""
        self._group.close()


def batches(messages: Iterable[tuple[float, bytes]]) -> list[Batch]:
    """Return messages of any size with their times as batches. A batch ends with a shorter message."""
    made, times_us, data = list[Batch](), list[int](), bytearray()
    for time_us, message in messages:
        times_us.append(round(time_us))
        data += message
        if len(message) != SRT_PAYLOAD_BYTES:
            made.append(Batch(MessageBuffer(data, SRT_PAYLOAD_BYTES, times_us), 0, len(times_us)))
            times_us, data = [], bytearray()
    if times_us:
        made.append(Batch(MessageBuffer(data, SRT_PAYLOAD_BYTES, times_us), 0, len(times_us)))
    return made


def arrival_us(received_us: float, now_us: float) -> float:
    """Return when a datagram arrived by its time from the kernel; the present time if the clock was set meanwhile."""
    youngest_us, oldest_us = _AGE_US
    return received_us if youngest_us <= now_us - received_us <= oldest_us else now_us


def unix_ahead_us() -> float:
    """Return how far the Unix clock, which stamps datagrams, is ahead of libsrt's clock.

    The closest of some readings counts, because the process may be held up between reading the two clocks.
    """
    readings = []
    for _ in range(_CLOCK_READINGS):
        before_us = time_now_us()
        unix_us = time.time_ns() / 1000
        after_us = time_now_us()
        readings.append((after_us - before_us, unix_us - (before_us + after_us) / 2))
    return min(readings)[1]


def _is_in_step(packets: bytes) -> bool:
    return packets[::PACKET_BYTES].count(TS_SYNC_BYTE) * PACKET_BYTES == len(packets)
