"""A multicast group as a feed: each message carries the time at which the kernel took it from the network."""

from __future__ import annotations

import time
from collections import deque
from typing import Final

from app.domain.constants import SRT_PAYLOAD_BYTES
from app.domain.figures.sample import Input
from app.domain.spec import MulticastSource
from app.engines.direct.feed import Outgoing, lag_max_us
from app.engines.direct.pace import Pace
from app.mpegts.continuity import ContinuityCheck, RtpGaps
from app.mpegts.packets import PACKET_BYTES
from app.protocol import Tell
from app.sources.multicast_socket import MulticastSocket

_TURN_US: Final = 5_000
_DATAGRAMS_A_TURN: Final = 4_096
# Packets that fill no whole message wait so long for more of them.
_PARTIAL_US: Final = 20_000


class GroupFeed:
    """A Feed that receives a group. Raises CannotSend when it cannot join."""

    def __init__(self, source: MulticastSource, latency_ms: int, tell: Tell) -> None:
        self.turn_us = _TURN_US
        self._group = MulticastSocket(source, tell)
        self._group.stamp_datagrams()
        self._pace = Pace(lag_max_us=lag_max_us(latency_ms), is_live=True)
        self._continuity = ContinuityCheck()
        self._gaps = RtpGaps() if source.protocol == "rtp" else None
        self._bytes_total = 0
        self._received_at: float | None = None
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._partial = bytearray()
        self._partial_us = 0.0

    def start(self, now_us: int) -> None:
        """Drop what arrived before: no receiver was connected."""
        self._group.receive(_DATAGRAMS_A_TURN)

    def due(self, now_us: int) -> list[Outgoing]:
        """The messages of the datagrams that came since the last turn."""
        for datagram in self._group.receive(_DATAGRAMS_A_TURN):
            self._take(datagram.data, now_us - datagram.age_us)
        if self._partial and now_us - self._partial_us > _PARTIAL_US:
            self._cut(len(self._partial))
        made: list[Outgoing] = []
        if not self._waiting:
            return made
        pace = self._pace
        until_us = pace.may_go(self._waiting[0][0], now_us, 0)
        while self._waiting and (time_us := pace.time_of(self._waiting[0][0])) <= until_us:
            due_us, data = self._waiting.popleft()
            made.append(Outgoing(round(time_us), data))
            pace.passed(due_us)
        return made

    def _take(self, datagram: bytes, received_us: float) -> None:
        """Count a datagram's packets and cut them into messages; what is no transport packet goes no further."""
        packets = datagram if self._gaps is None else self._gaps.payload(datagram)
        self._continuity.check(packets)
        self._bytes_total += len(packets)
        self._received_at = time.monotonic()
        if len(packets) % PACKET_BYTES or not packets:
            return
        if not self._partial:
            self._partial_us = received_us
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
        """Bytes of transport stream, continuity errors, RTP gaps, age of the last datagram."""
        self._group.follow_card()
        age_s = None if self._received_at is None else time.monotonic() - self._received_at
        return Input(
            bytes_total=self._bytes_total,
            continuity_errors_total=self._continuity.errors_total,
            rtp_gaps_total=0 if self._gaps is None else self._gaps.gaps_total,
            last_packet_age_s=age_s,
        )

    def close(self) -> None:
        """Leave the group."""
        self._group.close()
