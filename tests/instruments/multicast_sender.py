"""A multicast channel: a transport stream file sent to a group at its bitrate, over UDP or RTP, with faults on demand.

The sender is a separate process. The first JSON line on standard input describes the channel; each further line is an
order, for example for a fault. The bytes of the file are sent unchanged, so that a test can compare what arrives.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from tests.instruments.child import JsonChild, say

_DATAGRAM = 7 * 188
_TURN_S = 0.001  # at high rates, several datagrams are sent together each millisecond
_RTP_MP2T = 33
_RTP_HZ = 90_000


@dataclass
class Wanted:
    """The channel to send. `interface_ip` is the sender's address on its link; `start_at` is a datagram's number."""

    path: str
    address: str
    port: int
    interface_ip: str
    bitrate_bps: int
    protocol: str = "udp"
    start_at: int = 0


@dataclass
class Order:
    """The change that a line on standard input orders. A line without a change asks for the counts."""

    number: int
    is_silent: bool | None = None
    goes_on: bool = True
    lose: int = 0
    jump_to: int | None = None


class _Sender:
    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._data = Path(wanted.path).read_bytes()
        self._count = len(self._data) // _DATAGRAM
        self._interval_s = _DATAGRAM * 8 / wanted.bitrate_bps
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((wanted.interface_ip, 0))
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(wanted.interface_ip))
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 4)
        self._next = wanted.start_at
        self._rtp_number = 65_530  # close to its end, so that it wraps early
        self._origin = time.monotonic() - self._next * self._interval_s
        self._silent_since: float | None = None
        self.sent = 0

    def run(self) -> None:
        """Send until the file or standard input ends."""
        say(started=True)
        while self._next < self._count:
            due = self._origin + self._next * self._interval_s
            wait_s = 60.0 if self._silent_since is not None else max(_TURN_S, due - time.monotonic())
            if select.select([0], [], [], wait_s)[0] and not self._obey():
                return
            while self._silent_since is None and self._next < self._count and time.monotonic() >= self._due():
                self._send()
        say(ended=True, sent=self.sent)

    def _due(self) -> float:
        return self._origin + self._next * self._interval_s

    def _obey(self) -> bool:
        line = sys.stdin.readline()
        if not line:
            return False
        order = Order(**json.loads(line))
        if order.is_silent is True:
            self._silent_since = time.monotonic()
        if order.is_silent is False and self._silent_since is not None:
            if order.goes_on:
                self._next = int((time.monotonic() - self._origin) / self._interval_s)
            else:
                self._origin += time.monotonic() - self._silent_since
            self._silent_since = None
        if order.jump_to is not None:
            self._origin += (self._next - order.jump_to) * self._interval_s
            self._next = order.jump_to
        self._next += order.lose
        self._rtp_number += order.lose
        say(number=order.number, sent=self.sent, at=self._next)
        return True

    def _send(self) -> None:
        payload = self._data[self._next * _DATAGRAM : (self._next + 1) * _DATAGRAM]
        if self._wanted.protocol == "rtp":
            stamp = int(self._next * self._interval_s * _RTP_HZ) & 0xFFFFFFFF
            payload = struct.pack(">BBHII", 0x80, _RTP_MP2T, self._rtp_number & 0xFFFF, stamp, 0x5EED) + payload
        self._socket.sendto(payload, (self._wanted.address, self._wanted.port))
        self._next += 1
        self._rtp_number += 1
        self.sent += 1


class MulticastSender:
    """A running channel: `with MulticastSender(within=far.enter, path=…, address=…, …) as channel:`."""

    def __init__(self, *, within: Sequence[str], **wanted: Any) -> None:
        """Start sending. `wanted` are the fields of Wanted; `within` is a command prefix (see Namespace.enter)."""
        first = asdict(Wanted(**{**wanted, "path": str(wanted["path"])}))
        self.child = JsonChild("tests.instruments.multicast_sender", within=within, first=first)
        self.child.wait_for_line("started", deadline_s=15)

    def sent(self) -> int:
        """Return the number of datagrams sent so far."""
        return int(self.child.ask()["sent"])

    def fall_silent(self) -> None:
        """Stop sending until `speak_again`."""
        self.child.ask(is_silent=True)

    def speak_again(self, *, goes_on: bool) -> None:
        """Send again: with `goes_on`, at the place where the channel would be now; otherwise from where it stopped."""
        self.child.ask(is_silent=False, goes_on=goes_on)

    def lose(self, datagrams: int) -> None:
        """Skip `datagrams` datagrams, as a loss in the network does: their RTP sequence numbers are skipped too."""
        self.child.ask(lose=datagrams)

    def jump_to(self, datagram: int) -> None:
        """Continue at another datagram of the file, as a restarted sender does: PCR and RTP timestamp jump."""
        self.child.ask(jump_to=datagram)

    def wait_for_end(self, *, deadline_s: float) -> int:
        """Wait until the file was sent to its end. Return the number of datagrams sent."""
        return int(self.child.wait_for_line("ended", deadline_s=deadline_s)["sent"])

    def close(self) -> None:
        """End the sender."""
        self.child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def main() -> None:
    """Send the channel that the first line of standard input describes."""
    _Sender(Wanted(**json.loads(sys.stdin.readline()))).run()


if __name__ == "__main__":
    main()
