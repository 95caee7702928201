"""Running streams with one receiver each, and each receiver's verdict on whether everything arrived."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.instruments.product import Product, View
from tests.instruments.receivers import Receiver
from tests.instruments.ts_reader import read_ts

# A high latency. A receiver that waits for the processor on a busy machine would otherwise drop packets as too late.
PATIENT_MS = 1000
_SEQUENCE_NUMBERS = 1 << 31  # SRT, draft-sharabayko-srt, 3.1: 31 bits


@dataclass(frozen=True)
class Verdict:
    """The receiver's counts from its connection to its end.

    `gaps` counts the places where the sequence numbers of two successive messages are not consecutive.
    """

    seconds: float
    packets: int
    gaps: int
    continuity_errors: int
    sync_errors: int
    longest_pause_ms: float

    @property
    def is_whole(self) -> bool:
        """Whether everything that was sent arrived, in order."""
        return self.packets > 0 and not self.gaps and not self.continuity_errors and not self.sync_errors


@dataclass(frozen=True)
class Viewer:
    """A stream of the product, as the API reported it at the start, and the stream's receiver."""

    view: View
    receiver: Receiver

    @property
    def key(self) -> str:
        """The stream's key."""
        return str(self.view["key"])

    @property
    def worker_pid(self) -> int:
        """The process id of the worker that carried the stream at the start."""
        return int(self.view["worker"]["pid"])

    def wait_for_more(self, count: int = 300_000, *, deadline_s: float = 20) -> None:
        """Wait until the receiver has received `count` more bytes of payload."""
        self.receiver.wait_for_bytes(self.receiver.figures().bytes + count, deadline_s=deadline_s)

    def verdict(self) -> Verdict:
        """End the receiver and return the verdict on everything that it received."""
        figures = self.receiver.figures()
        assert figures.state == "connected", f"the receiver was {figures.state} before it was ended: {figures}"
        self.receiver.finish()
        arrivals = self.receiver.arrivals()
        steps = [(after.sequence - before.sequence) % _SEQUENCE_NUMBERS for before, after in pairwise(arrivals)]
        pauses = [(after.due_us - before.due_us) / 1000 for before, after in pairwise(arrivals)]
        report = read_ts(self.receiver.payload.read_bytes())
        return Verdict(
            seconds=(arrivals[-1].due_us - arrivals[0].due_us) / 1e6,
            packets=len(arrivals),
            gaps=sum(step != 1 for step in steps),
            continuity_errors=report.continuity_errors(),
            sync_errors=report.sync_errors,
            longest_pause_ms=max(pauses, default=0.0),
        )


@contextlib.contextmanager
def audience(
    product: Product,
    count: int,
    *,
    receive: Callable[..., Receiver] = Receiver.calling,
    patience_ms: int = PATIENT_MS,
    **changes: Any,
) -> Iterator[list[Viewer]]:
    """Start `count` listener streams with one receiver each, and yield when all of them receive."""
    with contextlib.ExitStack() as stack:
        viewers = []
        for number in range(count):
            view = product.start(**{"name": f"stream {number + 1}", **changes})
            port = view["spec"]["endpoint"]["port"]
            receiver = stack.enter_context(receive(port, latency_ms=patience_ms))
            viewers.append(Viewer(view, receiver))
        for viewer in viewers:
            viewer.receiver.wait_for_bytes(200_000, deadline_s=30)
            product.wait_for_phase(viewer.key, "delivering")
        yield viewers
