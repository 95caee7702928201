"""A worker without GStreamer: the real loop and link around a fake sender.

Words in the stream's name select its behaviour, such as `receiver` or `crash`, because a job has no field for that.
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
    """A sender that implements app.worker.engine.Sender. The words of the stream's name have these effects:

    `cannot REASON`: the start fails · `ends REASON`: the first poll ends it · `crash`: SIGKILL ends the worker at the
    first sample · `surprise`: the first sample raises an unexpected error · `hang`: there is no second sample · `deaf`:
    it never stops · `receiver`: a receiver acknowledges everything · `notice`: it sends a notice before a manager is
    connected · `chatty`: its debug view is large · `lingers`: the process stays alive after its last word · `runaway`:
    after RUNAWAY_AFTER_S, it reports RUNAWAY_BYTES_A_SECOND more than its source delivers.
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
        """Start, or raise CannotSend after the word `cannot`."""
        if "cannot" in self._words:
            raise CannotSend(self._reason_after("cannot"), "as pretended")

    def poll(self) -> None:
        """Raise Finished after the word `ends`."""
        if "ends" in self._words:
            raise Finished(self._reason_after("ends"), "as pretended")

    def _reason_after(self, word: str) -> Reason:
        return Reason(self._words[self._words.index(word) + 1])

    def wake_fd(self) -> int:
        """Return a descriptor that is never readable."""
        return self._wake_fd

    def is_on_its_way(self) -> bool:
        """Whether to poll often: true for a sender that ends with its first poll."""
        return "ends" in self._words

    def read_peers(self) -> list[Peer]:
        """Return one receiver that receives and acknowledges everything, or no receiver."""
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
        """Return the state of an input with a constant rate."""
        return Input(bytes_total=self._bytes_total(), last_packet_age_s=0.0)

    def _bytes_total(self) -> int:
        return int((time.monotonic() - self._started_at) * _BYTES_A_SECOND)

    def _too_much(self) -> int:
        since_s = time.monotonic() - self._started_at - RUNAWAY_AFTER_S
        return int(max(0.0, since_s) * RUNAWAY_BYTES_A_SECOND) if "runaway" in self._words else 0

    def read_applied(self) -> Applied:
        """Return empty values: this sender applies no settings."""
        return Applied()

    def read_debug(self) -> ReceiverDebug:
        """Return a small debug view, or one of 30 kB with the word `chatty`."""
        filler = SocketDebug("x" * (30_000 if "chatty" in self._words else 1), {}, {})
        return ReceiverDebug(self.engine_name(), filler, None)

    def engine_name(self) -> str:
        """Return the name of this fake engine."""
        return "pretended"

    def stop(self) -> None:
        """Stop, or block for ever with the word `deaf`."""
        while "deaf" in self._words:
            time.sleep(60)


if __name__ == "__main__":
    status = main(FakeSender)
    while FakeSender.lingers:
        signal.pause()
    sys.exit(status)
