"""Sends numbered datagrams through relays in both directions, and evaluates a capture of both sides.

The times and counts come from a packet socket on loopback, not from the relay. The kernel stamps a datagram once, so
the capture and the relay read the same time of arrival. From these times, the pure schedule computes when each datagram
has to leave.
"""

from __future__ import annotations

import socket
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final, Self

import msgspec

from app.domain.impairment.link import DIRECTIONS, Direction, ImpairedLink
from app.domain.impairment.model import UDP_IP_BYTES, Impairment
from app.domain.spec import RelaySpec, Target
from app.protocol import Job
from tests.instruments.waiting import free_ports
from tests.instruments.wire import Packet
from tests.instruments.worker import REAL

# The relay is measured, not the machine. Like the instruments, it gets a higher priority if that is allowed.
PUNCTUAL: Final = ("nice", "-n", "-10", *REAL)
HANDSHAKE: Final = b"\x80\x00" + bytes(62)
DATAGRAM_BYTES: Final = 1332
_HOST: Final = "127.0.0.1"
_CONTROL: Final = 1 << 31
_BUFFER_BYTES: Final = 4 * 1024 * 1024
Flows = dict[tuple[int, int], list[Packet]]


@dataclass(frozen=True)
class Passage:
    """One datagram: its size, and when it arrived at and left the relay. Times are from the capture, in Unix ns."""

    number: int
    size: int
    arrived_ns: int
    left_ns: tuple[int, ...]


@dataclass
class Seen:
    """The capture of one direction: passages in the order of arrival, and numbers in the order of departure."""

    passages: list[Passage] = field(default_factory=list)
    left: list[int] = field(default_factory=list)

    def lost(self) -> int:
        """Return the number of datagrams that never left."""
        return sum(not each.left_ns for each in self.passages)

    def bursts(self) -> list[int]:
        """Return the length of each run of successive lost datagrams."""
        runs = groupby(self.passages, key=lambda each: not each.left_ns)
        return [sum(1 for _ in run) for is_lost, run in runs if is_lost]

    def duplicated(self) -> int:
        """Return the number of datagrams that left twice."""
        return sum(len(each.left_ns) == 2 for each in self.passages)

    def overtaken(self) -> int:
        """Return the number of datagrams that left after one with a higher number (RFC 4737)."""
        highest, late = -1, 0
        for number in self.left:
            late += number < highest
            highest = max(highest, number)
        return late


class Ends:
    """A caller and a target with a relay between them. `ports` has all ports that a capture needs."""

    def __init__(self, impairment: Impairment, ports: range) -> None:
        """Bind both ends. `ports` are the relay's port and the target's port."""
        self.impairment, self.ports = impairment, ports
        self._relay_port, self._target_port = ports
        self._caller, self._target = _udp_socket(0), _udp_socket(self._target_port)
        self._caller_port = self._caller.getsockname()[1]
        self._back: Any = None

    def job(self) -> Job:
        """Return the job of the relay."""
        spec = RelaySpec(self._relay_port, Target(_HOST, self._target_port), impairment=self.impairment)
        return Job(key=f"relay{self._relay_port}", spec=spec, relay_targets="private")

    def greet(self) -> None:
        """Send a handshake first, as an SRT caller does. The target learns from it the relay's source port."""
        self._caller.sendto(HANDSHAKE, (_HOST, self._relay_port))
        self._target.settimeout(5)
        self._back = self._target.recvfrom(2048)[1]

    def send(self, direction: Direction, number: int, size: int = DATAGRAM_BYTES) -> None:
        """Send one datagram. Its first four bytes are its number, which the evaluation of the capture reads."""
        datagram = number.to_bytes(4, "big") + bytes(size - 4)
        if direction == "to_target":
            self._caller.sendto(datagram, (_HOST, self._relay_port))
        else:
            self._target.sendto(datagram, self._back)

    def seen(self, flows: Flows) -> dict[Direction, Seen]:
        """Return what happened to the datagrams of each direction."""
        relay, caller, target = self._relay_port, self._caller_port, self._target_port
        back = self._back[1]
        return {
            "to_target": _match(flows[caller, relay], flows[back, target]),
            "to_caller": _match(flows[target, back], flows[relay, caller]),
        }

    def due(self, flows: Flows) -> dict[Direction, list[tuple[int, ...]]]:
        """Return when the pure schedule makes each datagram leave, computed from the captured times of arrival."""
        link = ImpairedLink(self.impairment)
        link.decide("to_target", len(HANDSHAKE), flows[self._caller_port, self._relay_port][0].at_ns)
        seen = self.seen(flows)
        return {
            direction: [link.decide(direction, each.size, each.arrived_ns) for each in seen[direction].passages]
            for direction in DIRECTIONS
        }

    def delays_ms(self, flows: Flows, direction: Direction, *, late_ms_most: float) -> list[float]:
        """Return how long the relay held each datagram that left.

        Without the datagrams that left more than `late_ms_most` after they were due, because the machine was busy.
        """
        passages, due = self.seen(flows)[direction].passages, self.due(flows)[direction]
        return [
            (passage.left_ns[0] - passage.arrived_ns) / 1e6
            for passage, times_ns in zip(passages, due, strict=True)
            if passage.left_ns and passage.left_ns[0] - times_ns[0] <= late_ms_most * 1e6
        ]

    def errors_ms(self, flows: Flows) -> dict[Direction, list[float]]:
        """Return how much later than due each datagram left.

        Raises AssertionError for a datagram that left more or less often than the schedule says.
        """
        seen, due = self.seen(flows), self.due(flows)
        errors: dict[Direction, list[float]] = {direction: [] for direction in DIRECTIONS}
        for direction in DIRECTIONS:
            for passage, times_ns in zip(seen[direction].passages, due[direction], strict=True):
                assert len(passage.left_ns) == len(times_ns), (direction, passage, times_ns)
                errors[direction] += [(left - at) / 1e6 for left, at in zip(passage.left_ns, times_ns, strict=True)]
        return errors

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._caller.close()
        self._target.close()


def flows_of(packets: Iterable[Packet]) -> Flows:
    """Return the packets by source and destination port."""
    flows: Flows = defaultdict(list)
    for packet in packets:
        flows[packet.source_port, packet.destination_port].append(packet)
    return flows


def ends_for(**impairment: Any) -> Ends:
    """Return both ends of a relay that uses two adjacent free ports."""
    return Ends(msgspec.convert(impairment, Impairment), free_ports(2))


def send_both_ways(ends: Ends, count: int, *, a_millisecond: int) -> None:
    """Send `count` datagrams in each direction, `a_millisecond` of them per millisecond."""
    began = time.monotonic()
    for number in range(count):
        if number % a_millisecond == 0:
            time.sleep(max(0.0, began + number / a_millisecond / 1000 - time.monotonic()))
        for direction in DIRECTIONS:
            ends.send(direction, number)


def _udp_socket(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        made.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
    made.bind((_HOST, port))
    return made


def _match(came: Iterable[Packet], went: Iterable[Packet]) -> Seen:
    left: dict[int, list[int]] = defaultdict(list)
    order = []
    for packet in went:
        if (number := _number(packet)) < _CONTROL:
            left[number].append(packet.at_ns)
            order.append(number)
    passages = [
        Passage(number, packet.size_bytes - UDP_IP_BYTES, packet.at_ns, tuple(left[number]))
        for packet in came
        if (number := _number(packet)) < _CONTROL
    ]
    return Seen(passages, order)


def _number(packet: Packet) -> int:
    return int.from_bytes(packet.datagram[:4], "big")
