"""Many receivers in one process, which costs less than one process for each. It calls ports and reads all payload.

    python -m benchmarks.crowd LATENCY_MS PORT [PORT ...]

A port that is named twice is called twice. The process writes a line of figures each half second and ends when its
standard input ends.
"""

from __future__ import annotations

import ctypes
import select
import sys
import time
from pathlib import Path
from typing import Self

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.instruments.child import JsonChild, say
from tests.instruments.libsrt_abi import LibSrt, MessageControl, Option, SocketState
from tests.instruments.waiting import wait_for

_TURN_S = 0.01
_LINE_EVERY_S = 0.5
_CALL_S = 60  # on a busy machine, it takes long until all senders of a case listen


class Crowd:
    """The running receivers: `with Crowd(ports) as crowd: crowd.wait_for_all()`."""

    def __init__(self, ports: list[int], *, latency_ms: int = 200) -> None:
        self._expected = len(ports)
        self._child = JsonChild("benchmarks.crowd", str(latency_ms), *map(str, ports))

    def wait_for_all(self) -> None:
        """Wait until each receiver has received payload."""
        self._child.wait_for_line("connected", deadline_s=_CALL_S)
        wait_for(lambda: self.figures()["receiving"] == self._expected, deadline_s=_CALL_S, what="all receivers")

    def figures(self) -> dict[str, int]:
        """Return `connected`, `receiving`, `bytes` and `dropped` at the time `at_us` of the monotonic clock."""
        return self._child.last()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._child.close()


def _call(srt: LibSrt, port: int, latency_ms: int) -> int:
    until = time.monotonic() + _CALL_S
    while True:
        sock = srt.socket()
        srt.set(sock, Option.RCVLATENCY, latency_ms)
        srt.set(sock, Option.RCVTIMEO, 0)
        try:
            srt.connect(sock, "127.0.0.1", port)
        except Exception:
            srt.close(sock)
            if time.monotonic() > until:
                raise
        else:
            return sock


def main() -> None:
    """Receive until standard input ends."""
    latency_ms, *ports = map(int, sys.argv[1:])
    srt, control, buffer = LibSrt(), MessageControl(), ctypes.create_string_buffer(1456)
    sockets = [_call(srt, port, latency_ms) for port in ports]
    received = dict.fromkeys(sockets, 0)
    line_at = 0.0
    while not select.select([sys.stdin], [], [], _TURN_S)[0] or sys.stdin.readline():
        for sock in sockets:
            while size := srt.receive(sock, buffer, control):
                received[sock] += size
        if time.monotonic() >= line_at:
            line_at = time.monotonic() + _LINE_EVERY_S
            say(
                at_us=time.monotonic_ns() // 1000,
                connected=sum(srt.state(sock) is SocketState.CONNECTED for sock in sockets),
                receiving=sum(map(bool, received.values())),
                bytes=sum(received.values()),
                dropped=sum(srt.stats(sock).pktRcvDropTotal for sock in sockets),
            )


if __name__ == "__main__":
    main()
