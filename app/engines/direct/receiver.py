"""One connection of a sender, with its own send call and figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.domain.constants import NO_ACK_MS
from app.domain.figures.sample import Peer
from app.srt.admission import acknowledges_unsent
from app.srt.binding import time_now_us
from app.srt.messages import Batch
from app.srt.peer_figures import Agreed, read_peer
from app.srt.sockets import ENDED, SrtSocket

_NO_ACK_US: Final = NO_ACK_MS * 1000


class Receiver:
    """A connected receiver. Only the sender's thread may call `send`; any thread may read the figures."""

    def __init__(self, sock: SrtSocket, number: int, agreed: Agreed, now_us: int) -> None:
        """`number` counts a worker's receivers from 1. Messages that were due before `now_us` are not sent to it."""
        self.socket = sock
        self.number = number
        self.agreed = agreed
        self._since_us = now_us
        self._newest_us = 0  # when the newest message is due
        self._unsent_packets = 0
        self._acks = 0
        self._acknowledged_us = now_us

    def send(self, batches: Sequence[Batch]) -> bool:
        """Send the messages that are due; return False when the connection is gone.

        Messages that do not fit into its send buffer are lost for this receiver.
        """
        number, since_us = self.socket.number, self._since_us
        for batch in batches:
            self._newest_us = batch.newest_us
            if unsent := batch.send_to(number, since_us):
                if self.socket.state() in ENDED:
                    return False
                self._unsent_packets += unsent
        return True

    def has_gone_silent(self, now_us: int) -> bool:
        """Whether it has acknowledged nothing for a while although packets wait for it."""
        stats = self.socket.statistics()
        if stats is None or stats.pktRecvACKTotal != self._acks or not stats.pktSndBuf:
            self._acks = stats.pktRecvACKTotal if stats is not None else self._acks
            self._acknowledged_us = now_us
        return now_us - self._acknowledged_us > _NO_ACK_US

    def acknowledges_unsent(self) -> bool:
        """Whether it has acknowledged packets that were never sent."""
        stats = self.socket.statistics()
        return stats is not None and acknowledges_unsent(stats.pktFlowWindow)

    def waiting_packets(self) -> int:
        """Return the number of packets that it has not acknowledged."""
        stats = self.socket.statistics()
        return 0 if stats is None else stats.pktSndBuf

    def read(self) -> Peer | None:
        """Return its figures; None when it has just left."""
        ahead_ms = max(0.0, (self._newest_us - time_now_us()) / 1000)
        unsent = self._unsent_packets
        return read_peer(self.socket, self.number, self.agreed, unsent_packets=unsent, ahead_ms=ahead_ms)
