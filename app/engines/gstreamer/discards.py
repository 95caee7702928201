"""Counts packets that tsparse discards silently: scrambled ones and ones with the transport error indicator.

GStreamer's mpegtspacketizer treats both as bad packets (seen in 1.22 and 1.26), so they reach no receiver. They are
counted before tsparse.
"""

from __future__ import annotations

from app.domain.endings import Finished
from app.domain.events import NoticeCode
from app.domain.figures.sample import Input
from app.domain.status import Reason
from app.machine.steady_clock import unix_now
from app.mpegts.marked_packets import MarkedPackets
from app.mpegts.packets import Block
from app.protocol import Notice, Notify

_PIDS_NAMED = 8


class Discards:
    """The discarded packets of one source. `check` runs in the source's thread, other methods in any thread."""

    def __init__(self, notify: Notify) -> None:
        self._marked = MarkedPackets()
        self._notify = notify
        self._is_reported = False

    def check(self, packets: Block) -> None:
        """Count the discarded packets in data on its way to tsparse."""
        self._marked.check(packets)

    def add_to(self, counted: Input) -> Input:
        """Return the source's figures with the discarded packets added. Report the first of them as a notice."""
        marked = self._marked
        if marked.total and not self._is_reported:
            self._is_reported = True
            self._notify(Notice(unix_now(), NoticeCode.PACKETS_DISCARDED, self._text()))
        return counted.with_discards(scrambled=marked.scrambled_total, errored=marked.errored_total)

    def fault_without_output(self, detail: str) -> Finished:
        """Return why a source without any output must end."""
        if self._marked.scrambled_total:
            return Finished(Reason.SCRAMBLED, f"{detail}; scrambled packets on PID {self._pids()}")
        return Finished(Reason.NO_PCR, detail)

    def _text(self) -> str:
        if self._marked.scrambled_total:
            what = f"The source has scrambled packets (PID {self._pids()})"
        else:
            what = "The source has packets with the transport error indicator"
        return f"{what}. GStreamer discards them, so no receiver gets them; the engine Direct carries them."

    def _pids(self) -> str:
        pids = sorted(self._marked.scrambled_pids)
        more = f" and {len(pids) - _PIDS_NAMED} more" if len(pids) > _PIDS_NAMED else ""
        return ", ".join(map(str, pids[:_PIDS_NAMED])) + more
