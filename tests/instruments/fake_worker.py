"""A worker without GStreamer: the real loop and link around a sender that only pretends.

The stream's name says how it behaves, because a job has no field for that: words such as `receiver`, `crash`.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from app.domain.endings import CannotSend, Finished
from app.domain.events import NoticeCode
from app.domain.figures.debug import ReceiverDebug, SocketDebug
from app.domain.figures.sample import Applied
from app.domain.status import Reason
from app.machine.steady_clock import unix_now
from app.protocol import Input, Job, Notice, Notify, Peer
from app.worker.worker import main

_BYTES_A_SECOND = 1_000_000
RUNAWAY_AFTER_S = 1.5
RUNAWAY_BYTES_A_SECOND = 100_000_000


class FakeSender:
    """Fulfils app.worker.engine.Sender.

    `cannot REASON`: start fails · `ends REASON`: the first poll ends it · `crash`: it dies of a signal with its first
    sample · `surprise`: that raises an unexpected error · `hang`: it never gives a second sample · `deaf`: it never
    stops · `receiver`: a receiver acknowledges everything · `notice`: it reports something before anyone listens ·
    `chatty`: its debug view is large · `lingers`: it leaves its last word and then does not go · `runaway`: after
    RUNAWAY_AFTER_S it sends RUNAWAY_BYTES_A_SECOND more than its source holds.
    """

    lingers = False

    def __init__(self, job: Job, notify: Notify) -> None:
        self._words = job.spec.name.split()
        self._started_at = time.monotonic()
        self._wake_fd = os.eventfd(0)
        self._samples = 0
        FakeSender.lingers = "lingers" in self._words
        if "notice" in self._words:
            notify(Notice(unix_now(), NoticeCode.ENGINE_WARNING, "a notice before anybody listens"))

    def start(self) -> None:
        """Start, unless it cannot."""
        if "cannot" in self._words:
            raise CannotSend(self._reason_after("cannot"), "as pretended")

    def poll(self) -> None:
        """End, if it is to."""
        if "ends" in self._words:
            raise Finished(self._reason_after("ends"), "as pretended")

    def _reason_after(self, word: str) -> Reason:
        return Reason(self._words[self._words.index(word) + 1])

    def wake_fd(self) -> int:
        """Never readable."""
        return self._wake_fd

    def is_on_its_way(self) -> bool:
        """Poll at once what ends at once."""
        return "ends" in self._words

    def read_peers(self) -> list[Peer]:
        """One receiver that gets and acknowledges everything, or none."""
        self._samples += 1
        if "crash" in self._words:
            os.kill(os.getpid(), signal.SIGKILL)
        if "surprise" in self._words:
            raise RuntimeError("not expected")
        while "hang" in self._words and self._samples > 1:
            time.sleep(60)
        if "receiver" not in self._words:
            return []
        sent = self._bytes_total() + self._too_much()
        return [
            Peer(
                id=1,
                address="192.0.2.7:41234",
                connected_at=unix_now(),
                payload_bytes_total=sent,
                wire_bytes_total=sent,
                packets_sent_unique_total=sent // 1316,
                packets_retransmitted_total=0,
                packets_dropped_total=0,
                acks_total=sent // 10_000,
                naks_total=0,
                rtt_ms=0.1,
                link_capacity_mbps=1000.0,
            )
        ]

    def read_input(self) -> Input:
        """A steady input."""
        return Input(bytes_total=self._bytes_total(), last_packet_age_s=0.0)

    def _bytes_total(self) -> int:
        return int((time.monotonic() - self._started_at) * _BYTES_A_SECOND)

    def _too_much(self) -> int:
        since_s = time.monotonic() - self._started_at - RUNAWAY_AFTER_S
        return int(max(0.0, since_s) * RUNAWAY_BYTES_A_SECOND) if "runaway" in self._words else 0

    def read_applied(self) -> Applied:
        """Nothing is applied to anything."""
        return Applied()

    def read_debug(self) -> ReceiverDebug:
        """A small view, or 30 kB."""
        filler = SocketDebug("x" * (30_000 if "chatty" in self._words else 1), {}, {})
        return ReceiverDebug(self.engine_name(), filler, None)

    def engine_name(self) -> str:
        """Not GStreamer."""
        return "pretended"

    def stop(self) -> None:
        """Stop, unless it is deaf."""
        while "deaf" in self._words:
            time.sleep(60)


if __name__ == "__main__":
    status = main(FakeSender)
    while FakeSender.lingers:
        signal.pause()
    sys.exit(status)
