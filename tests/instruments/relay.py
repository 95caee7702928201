"""A path with seeded loss, delay and a bandwidth limit, between an SRT caller and an SRT listener.

It forwards UDP, and reads SRT headers only to count what it took away. Delay is counted from the kernel's receive
time, so a late wake-up on a busy machine does not add to it unless it is longer than the delay itself.

Alone: `python -m tests.instruments.relay --listen 127.0.0.1:0 --to 127.0.0.1:10001 --loss 5 --rtt-ms 40 --seed 7`
prints `{"port": …}` and then answers each line on standard input with its counts; it ends with its input.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import random
import select
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from tests.instruments.child import JsonChild, be_punctual, say
from tests.instruments.srt_header import read_header

Direction = Literal["to_listener", "to_caller"]
_SO_TIMESTAMPNS = 35  # asm-generic/socket.h
_TIMESPEC = struct.Struct("@qq")
_SOCKET_BUFFER_BYTES = 8 * 1024 * 1024
_LONGEST_QUEUE_NS = 200_000_000  # behind a bandwidth limit: an access router's buffer
_UDP_IP_BYTES = 28
_STALL_NS = 25_000_000
_STDIN = 0


@dataclass
class Counts:
    """What went into one direction and what was taken out of it, in packets.

    `first` are data packets sent for the first time, `again` retransmissions, `control` the rest. `overflowed` were
    dropped by the bandwidth limit and are not in the dropped counts, which are those of chance.
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
        """Data packets taken away by chance, of all data packets."""
        return 100 * (self.dropped_first + self.dropped_again) / max(1, self.first + self.again)


@dataclass
class Path:
    """One direction: its chance, its queue behind a bandwidth limit, its counts."""

    loss_percent: float
    data_only: bool
    delay_ns: int
    bits_per_s: float
    chance: random.Random
    counts: Counts = field(default_factory=Counts)
    free_at_ns: int = 0
    cut_until_ns: int = 0

    def leaves_at(self, packet: bytes, arrived_ns: int) -> int | None:
        """When the packet comes out at the other end (ns, Unix), or None when it does not."""
        header = read_header(packet)
        kind = "control" if header is None or header.control_type is not None else "first"
        if header is not None and header.is_retransmitted:
            kind = "again"
        counts = self.counts
        counts.bytes += len(packet)
        setattr(counts, kind, getattr(counts, kind) + 1)
        if arrived_ns < self.cut_until_ns:
            setattr(counts, f"dropped_{kind}", getattr(counts, f"dropped_{kind}") + 1)
            return None
        # Drawn once for each packet that may be lost, so that a seed means the same loss pattern.
        if (kind != "control" or not self.data_only) and self.chance.random() * 100 < self.loss_percent:
            setattr(counts, f"dropped_{kind}", getattr(counts, f"dropped_{kind}") + 1)
            return None
        return self._through_the_limit(len(packet), arrived_ns)

    def _through_the_limit(self, size: int, arrived_ns: int) -> int | None:
        if not self.bits_per_s:
            return arrived_ns + self.delay_ns
        starts_ns = max(arrived_ns, self.free_at_ns)
        if starts_ns - arrived_ns > _LONGEST_QUEUE_NS:
            self.counts.overflowed += 1
            return None
        self.free_at_ns = starts_ns + round((size + _UDP_IP_BYTES) * 8e9 / self.bits_per_s)
        return self.free_at_ns + self.delay_ns


class _Forwarder:
    """The relay's own process: one socket that callers see, and one towards the listener for each caller."""

    def __init__(self, listen: tuple[str, int], to: tuple[str, int], paths: dict[Direction, Path]) -> None:
        self._to, self._paths = to, paths
        self._front = _udp_socket()
        self._front.bind(listen)
        self._backs: dict[tuple[str, int], socket.socket] = {}
        self._callers: dict[int, tuple[str, int]] = {}
        self._sockets: list[socket.socket] = [self._front]
        self._queue: list[tuple[int, int, bytes, socket.socket, tuple[str, int]]] = []
        self._order = 0
        self._last_data_ns: dict[Direction, int] = {}
        self.disturbed_ns: list[int] = []

    def port(self) -> int:
        """The port that a caller calls."""
        return int(self._front.getsockname()[1])

    def run(self, on_line: Callable[[bytes], None]) -> None:
        """Forward until standard input ends."""
        while True:
            wait_s = None if not self._queue else max(0.0, (self._queue[0][0] - time.time_ns()) / 1e9)
            descriptors = [_STDIN, *(one.fileno() for one in self._sockets)]
            readable, _, _ = select.select(descriptors, [], [], wait_s)
            if _STDIN in readable:
                lines = os.read(_STDIN, 65536)
                if not lines:
                    return
                for line in lines.splitlines():
                    on_line(line)
            for ready in self._sockets.copy():
                if ready.fileno() in readable:
                    self._take_all(ready)
            self._send_what_is_due()

    def _take_all(self, ready: socket.socket) -> None:
        direction: Direction = "to_listener" if ready is self._front else "to_caller"
        path = self._paths[direction]
        while True:
            try:
                packet, ancillary, _, sender = ready.recvmsg(2048, 64)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                continue  # ICMP of an earlier packet: nobody listens there (yet)
            arrived_ns = _arrived_ns(ancillary)
            self._watch_the_sender(direction, packet, arrived_ns)
            leaves_ns = path.leaves_at(packet, arrived_ns)
            if leaves_ns is None:
                continue
            self._order += 1
            if ready is self._front:
                entry = (leaves_ns, self._order, packet, self._back_of(sender), self._to)
            else:
                entry = (leaves_ns, self._order, packet, self._front, self._callers[ready.fileno()])
            heapq.heappush(self._queue, entry)

    def _watch_the_sender(self, direction: Direction, packet: bytes, arrived_ns: int) -> None:
        """Note a gap in the data. Acknowledgements have gaps of their own: none comes while a packet is missing."""
        header = read_header(packet)
        if header is None or header.control_type is not None:
            return
        if arrived_ns - self._last_data_ns.get(direction, arrived_ns) > _STALL_NS:
            self._note_disturbance(arrived_ns)
        self._last_data_ns[direction] = arrived_ns

    def _note_disturbance(self, at_ns: int) -> None:
        if not self.disturbed_ns or at_ns - self.disturbed_ns[-1] > _STALL_NS:
            self.disturbed_ns.append(at_ns)

    def _send_what_is_due(self) -> None:
        while self._queue and self._queue[0][0] <= time.time_ns():
            due_ns, _, packet, through, to = heapq.heappop(self._queue)
            if time.time_ns() - due_ns > _STALL_NS:
                self._note_disturbance(time.time_ns())
            try:
                through.sendto(packet, to)
            except (BlockingIOError, ConnectionRefusedError) as error:
                sys.stderr.write(f"not forwarded: {error}\n")

    def _back_of(self, caller: tuple[str, int]) -> socket.socket:
        if caller not in self._backs:
            back = _udp_socket()
            back.bind(("127.0.0.1", 0))
            self._backs[caller] = back
            self._callers[back.fileno()] = caller
            self._sockets.append(back)
        return self._backs[caller]


def _udp_socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        made.setsockopt(socket.SOL_SOCKET, option, _SOCKET_BUFFER_BYTES)
    made.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    return made


def _arrived_ns(ancillary: list[tuple[int, int, bytes]]) -> int:
    now_ns = time.time_ns()
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            arrived_ns = seconds * 1_000_000_000 + nanoseconds
            # A clock that was set in between must not hold a packet for an hour.
            if 0 <= now_ns - arrived_ns < 1_000_000_000:
                return int(arrived_ns)
    return now_ns


class Relay:
    """A relay in its own process, for a test: `with Relay(port, loss_to_caller=5, rtt_ms=40, seed=7) as relay:`."""

    def __init__(
        self,
        to_port: int,
        *,
        loss_to_caller: float = 0,
        loss_to_listener: float = 0,
        rtt_ms: float = 0,
        mbps: float = 0,
        data_only: bool = False,
        seed: int = 1,
    ) -> None:
        """Relay to a listener on this host. Losses are percent of the packets in that direction.

        `rtt_ms` is halved between the ways, `mbps` limits each of them with its headers (0: no limit).
        """
        self._child = JsonChild(
            "tests.instruments.relay",
            *("--to", f"127.0.0.1:{to_port}"),
            *("--loss-to-caller", str(loss_to_caller), "--loss-to-listener", str(loss_to_listener)),
            *("--rtt-ms", str(rtt_ms), "--mbps", str(mbps), "--seed", str(seed)),
            *(["--data-only"] if data_only else []),
        )
        self.port = int(self._child.wait_for_line("port", deadline_s=10)["port"])

    def counts(self) -> dict[Direction, Counts]:
        """What has gone through so far, by direction."""
        return _read_counts(self._child.ask())

    def disturbances_ns(self) -> list[int]:
        """When (Unix) a busy machine held somebody up: the relay was late, or the sender silent, for 25 ms.

        A stream of some Mb/s sends every millisecond or two, so a silence is a stall.
        """
        return [int(at_ns) for at_ns in self._child.ask()["disturbed_ns"]]

    def set_loss(self, *, to_listener: float, to_caller: float) -> None:
        """Change the loss from now on, in percent; 100 cuts a direction."""
        self._child.ask(to_listener=to_listener, to_caller=to_caller)

    def cut(self, ms: float) -> None:
        """Cut both directions for so long from now; by the kernel's receive times, however busy the machine is."""
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
    parser.add_argument("--mbps", type=float, default=0, help="limit of each way, headers included; 0 for none")
    parser.add_argument("--data-only", action="store_true", help="lose data packets only")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    """Relay until standard input ends; each line there is answered with the counts so far."""
    be_punctual()
    asked = _arguments()
    losses: dict[Direction, float] = {
        "to_listener": asked.loss if asked.loss_to_listener is None else asked.loss_to_listener,
        "to_caller": asked.loss if asked.loss_to_caller is None else asked.loss_to_caller,
    }
    paths: dict[Direction, Path] = {
        direction: Path(
            loss_percent=loss_percent,
            data_only=asked.data_only,
            delay_ns=round(asked.rtt_ms / 2 * 1e6),
            bits_per_s=asked.mbps * 1e6,
            chance=random.Random(f"{asked.seed} {direction}"),
        )
        for direction, loss_percent in losses.items()
    }
    forwarder = _Forwarder(asked.listen, asked.to, paths)

    def answer(line: bytes) -> None:
        question = json.loads(line) if line.strip() else {}
        for direction, path in paths.items():
            path.loss_percent = question.get(direction, path.loss_percent)
            if "cut_ms" in question:
                path.cut_until_ns = time.time_ns() + round(question["cut_ms"] * 1e6)
        counts = {direction: asdict(path.counts) for direction, path in paths.items()}
        say(number=question.get("number"), disturbed_ns=forwarder.disturbed_ns, **counts)

    say(port=forwarder.port(), pid=os.getpid())
    forwarder.run(answer)


if __name__ == "__main__":
    main()
