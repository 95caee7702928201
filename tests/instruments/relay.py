"""A path with seeded loss, delay and bandwidth limit between an SRT caller and an SRT listener.

It is the product's relay with additional counts for tests. It reads SRT headers to count retransmissions separately,
and records when a busy machine delayed it.

`python -m tests.instruments.relay --listen 127.0.0.1:0 --to 127.0.0.1:10001 --loss 5 --rtt-ms 40 --seed 7` prints
`{"port": …}` and then answers each line on standard input with its counts. It ends when standard input ends.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import msgspec

from app.domain.impairment.link import Direction as Way
from app.domain.impairment.link import ImpairedLink
from app.domain.impairment.model import DirectionImpairment, Impairment
from app.engines.relay.loop import RelayLoop
from app.engines.relay.observer import RelayObserver
from app.engines.relay.sockets import open_front
from tests.instruments.child import JsonChild, be_punctual, say
from tests.instruments.srt_header import read_header

Direction = Literal["to_listener", "to_caller"]
_WAYS: dict[Direction, Way] = {"to_listener": "to_target", "to_caller": "to_caller"}
_LONGEST_QUEUE_MS = 200  # the queue of a bandwidth limit, like the buffer of an access router
_STALL_NS = 25_000_000


@dataclass
class Counts:
    """The packets that entered one direction and the packets that were dropped there. `bytes` are those that entered.

    `first` are data packets sent for the first time, `again` are retransmissions, and `control` is the rest. The counts
    `dropped_*` are random losses. `overflowed` packets were dropped by the bandwidth limit and are not among them.
    """

    first: int = 0
    again: int = 0
    control: int = 0
    dropped_first: int = 0
    dropped_again: int = 0
    dropped_control: int = 0
    overflowed: int = 0
    bytes: int = 0

    def dropped_percent(self) -> float:
        """Return the percentage of the data packets that were dropped by chance."""
        return 100 * (self.dropped_first + self.dropped_again) / max(1, self.first + self.again)


class _Counting(RelayObserver):
    """Counts incoming and dropped packets by their SRT headers, and records disturbances by a busy machine."""

    def __init__(self, link: ImpairedLink) -> None:
        self.counts: dict[Direction, Counts] = {"to_listener": Counts(), "to_caller": Counts()}
        self.disturbed_ns: list[int] = []
        self._link = link
        self._last_data_ns: dict[Direction, int] = {}

    def datagram(self, direction: Way, datagram: memoryview, arrived_ns: int, leaves: int) -> None:
        """Count one datagram."""
        name: Direction = "to_listener" if direction == "to_target" else "to_caller"
        header = read_header(bytes(datagram[:16]))
        is_data = header is not None and header.control_type is None
        kind = "control" if not is_data else "again" if header is not None and header.is_retransmitted else "first"
        counts = self.counts[name]
        counts.bytes += len(datagram)
        setattr(counts, kind, getattr(counts, kind) + 1)
        overflowed = self._link.paths[direction].counters.queue_full
        if overflowed == counts.overflowed and not leaves:
            setattr(counts, f"dropped_{kind}", getattr(counts, f"dropped_{kind}") + 1)
        counts.overflowed = overflowed
        if is_data:
            self._watch_the_sender(name, arrived_ns)

    def late(self, late_ns: int) -> None:
        """Record a disturbance if the relay itself was delayed."""
        if late_ns > _STALL_NS:
            self._note_disturbance()

    def not_sent(self, error: OSError) -> None:
        """Report a datagram that the kernel refused to send."""
        sys.stderr.write(f"not forwarded: {error}\n")

    def _watch_the_sender(self, direction: Direction, arrived_ns: int) -> None:
        """Record a disturbance if the data paused. Control packets are not checked: they pause for other reasons.

        A receiver sends no new acknowledgement while a packet is missing.
        """
        if arrived_ns - self._last_data_ns.get(direction, arrived_ns) > _STALL_NS:
            self._note_disturbance()
        self._last_data_ns[direction] = arrived_ns

    def _note_disturbance(self) -> None:
        now_ns = time.time_ns()
        if not self.disturbed_ns or now_ns - self.disturbed_ns[-1] > _STALL_NS:
            self.disturbed_ns.append(now_ns)


class Relay:
    """A relay in a separate process: `with Relay(port, loss_to_caller=5, rtt_ms=40, seed=7) as relay:`."""

    def __init__(
        self,
        to_port: int,
        *,
        loss_to_caller: float = 0,
        loss_to_listener: float = 0,
        rtt_ms: float = 0,
        jitter_ms: float = 0,
        mbps: float = 0,
        data_only: bool = False,
        seed: int = 1,
    ) -> None:
        """Relay to a listener on this host. A loss is a percentage of the packets in its direction.

        Each direction has half of `rtt_ms`. `jitter_ms` varies the delay towards the listener and keeps the order of
        packets. `mbps` limits each direction, headers included (0: no limit).
        """
        self._child = JsonChild(
            "tests.instruments.relay",
            *("--to", f"127.0.0.1:{to_port}"),
            *("--loss-to-caller", str(loss_to_caller), "--loss-to-listener", str(loss_to_listener)),
            *("--rtt-ms", str(rtt_ms), "--jitter-ms", str(jitter_ms), "--mbps", str(mbps), "--seed", str(seed)),
            *(["--data-only"] if data_only else []),
        )
        self.port = int(self._child.wait_for_line("port", deadline_s=10)["port"])

    def counts(self) -> dict[Direction, Counts]:
        """Return the counts so far, by direction."""
        return _read_counts(self._child.ask())

    def disturbances_ns(self) -> list[int]:
        """Return when a busy machine caused a delay, in Unix time: the relay was late or the data paused for 25 ms.

        A stream of several Mb/s sends every one or two milliseconds, so a pause means that the sender was delayed.
        """
        return [int(at_ns) for at_ns in self._child.ask()["disturbed_ns"]]

    def set_loss(self, *, to_listener: float, to_caller: float) -> None:
        """Change the loss of both directions from now on, in percent. 100 cuts a direction."""
        self._child.ask(to_listener=to_listener, to_caller=to_caller)

    def cut(self, ms: float) -> None:
        """Cut both directions for `ms` from now. The kernel's receive times decide which packets are dropped."""
        self._child.ask(cut_ms=ms)

    def close(self) -> None:
        """End the relay's process."""
        self._child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _read_counts(line: dict[str, Any]) -> dict[Direction, Counts]:
    return {"to_listener": Counts(**line["to_listener"]), "to_caller": Counts(**line["to_caller"])}


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--listen", type=_address, default=("127.0.0.1", 0), help="where the caller calls")
    parser.add_argument("--to", type=_address, required=True, help="the SRT listener")
    parser.add_argument("--loss", type=float, default=0, help="percent, in both directions")
    parser.add_argument("--loss-to-caller", type=float, help="percent, instead of --loss")
    parser.add_argument("--loss-to-listener", type=float, help="percent, instead of --loss")
    parser.add_argument("--rtt-ms", type=float, default=0, help="half of it each way")
    parser.add_argument("--jitter-ms", type=float, default=0, help="towards the listener; the order is kept")
    parser.add_argument("--mbps", type=float, default=0, help="limit of each way, headers included; 0 for none")
    parser.add_argument("--data-only", action="store_true", help="lose data packets only")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _impairment(asked: argparse.Namespace) -> Impairment:
    def direction(loss_percent: float | None, jitter_ms: float = 0) -> DirectionImpairment:
        return DirectionImpairment(
            delay_ms=asked.rtt_ms / 2,
            jitter_ms=jitter_ms,
            loss_percent=asked.loss if loss_percent is None else loss_percent,
            loss_of="large" if asked.data_only else "all",
            rate_mbps=asked.mbps or None,
            queue_ms=_LONGEST_QUEUE_MS,
        )

    return Impairment(
        seed=asked.seed,
        to_target=direction(asked.loss_to_listener, asked.jitter_ms),
        to_caller=direction(asked.loss_to_caller),
    )


def _with_loss(impairment: Impairment, question: dict[str, Any]) -> Impairment:
    changed = {
        way: msgspec.structs.replace(getattr(impairment, way), loss_percent=question[direction])
        for direction, way in _WAYS.items()
        if direction in question
    }
    return msgspec.structs.replace(impairment, **changed)


def main() -> None:
    """Relay until standard input ends. Answer each of its lines with the counts so far."""
    be_punctual()
    asked = _arguments()
    link = ImpairedLink(_impairment(asked))
    counting = _Counting(link)
    front = open_front(*asked.listen)
    loop = RelayLoop(front, (socket.AF_INET, asked.to), link, counting, srt_only=False)
    thread = threading.Thread(target=loop.run)
    thread.start()
    say(port=front.getsockname()[1], pid=os.getpid())
    for line in sys.stdin:
        question = json.loads(line) if line.strip() else {}
        if _WAYS.keys() & question.keys():
            loop.order_change(_with_loss(link.impairment, question))
        if "cut_ms" in question:
            loop.order_outage("both", question["cut_ms"])
        counts = {direction: asdict(counted) for direction, counted in counting.counts.items()}
        say(number=question.get("number"), disturbed_ns=counting.disturbed_ns, **counts)
    loop.order_stop()
    thread.join()


if __name__ == "__main__":
    main()
