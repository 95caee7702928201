"""An SRT receiver over libsrt: records what arrived, when it was sent, what was lost, and how it was encrypted.

The receiver is a separate process. It reads its order as one JSON line on standard input, so that its arguments
contain no passphrase. It writes a line of figures every half second and ends when standard input ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import select
import struct
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

from tests.instruments.child import be_punctual, say
from tests.instruments.libsrt_abi import KeyState, LibSrt, MessageControl, Option, SrtError
from tests.instruments.ts_reader import Follower

TIMES = struct.Struct("<qqiH")  # due µs (libsrt's clock: origin + latency), taken ns (Unix), sequence, bytes
_LINE_EVERY_S = 0.5
_POLL_MS = 200
_TRANSTYPE_LIVE = 0
_SEQUENCE_NUMBERS = 1 << 31  # SRT, draft-sharabayko-srt, 3.1: 31 bits


@dataclass
class Wanted:
    """What to receive and how. `mode` is call or listen; `times` is a file of TIMES records.

    `follow` is for runs of hours: packets are checked as they arrive, and `seconds` are not reported. A pause of
    `pause_ms` after each message and a small receive buffer of `buffer_bytes` make the receiver a slow reader.
    """

    mode: str
    port: int
    host: str = "127.0.0.1"
    latency_ms: int = 120
    passphrase: str = ""
    key_bytes: int = 0
    stream_id: str = ""
    write: str = ""
    times: str = ""
    connect_ms: int = 8000
    follow: bool = False
    pause_ms: float = 0
    buffer_bytes: int = 0


@dataclass
class Figures:
    """Counts of what was received. `packets` and `bytes` count SRT payload messages.

    `state` is starting, calling, listening, connected, refused, lost or closed. `seconds` are payload bytes in each
    second since the connection. The fields from `packets_received` to `packets_undecrypted` are libsrt's totals.
    `gaps` (breaks in the sequence numbers), the errors and the pause are counted with `follow` only.
    """

    state: str = "starting"
    error: str = ""
    bytes: int = 0
    packets: int = 0
    connected_at: float = 0.0
    first_at: float = 0.0
    last_at: float = 0.0
    latency_ms: int = 0
    rtt_ms: float = 0.0
    key_state: str = ""
    key_bytes: int = 0
    stream_id: str = ""
    packets_received: int = 0
    packets_unique: int = 0
    packets_lost: int = 0
    packets_retransmitted: int = 0
    packets_dropped: int = 0
    packets_undecrypted: int = 0
    gaps: int = 0
    continuity_errors: int = 0
    sync_errors: int = 0
    longest_pause_ms: float = 0.0
    seconds: list[int] = field(default_factory=list)


class _Receiver:
    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._srt = LibSrt()
        self.figures = Figures()
        self._said_at = 0.0
        self._follower = Follower()
        self._before: tuple[int, int] | None = None  # sequence number and due time of the previous message

    def run(self) -> None:
        """Receive until the connection or standard input ends."""
        sock = self._socket()
        try:
            connection = self._connected(sock)
        except SrtError as refusal:
            self.figures.state, self.figures.error = "refused", str(refusal)
            self._say()
            return
        self.figures.state, self.figures.connected_at = "connected", time.time()
        self._say()
        with contextlib.ExitStack() as files:
            out = files.enter_context(_writer(self._wanted.write))
            times = files.enter_context(_writer(self._wanted.times))
            try:
                self._receive(connection, out, times)
                self.figures.state = "closed"
            except SrtError as end:
                self.figures.state, self.figures.error = "lost", str(end)
        self._say()
        self._srt.close(connection)
        self._srt.cleanup()

    def _socket(self) -> int:
        wanted, srt = self._wanted, self._srt
        sock = srt.socket()
        srt.set(sock, Option.TRANSTYPE, _TRANSTYPE_LIVE)
        srt.set(sock, Option.RCVLATENCY, wanted.latency_ms)
        srt.set(sock, Option.RCVTIMEO, _POLL_MS)
        srt.set(sock, Option.CONNTIMEO, wanted.connect_ms)
        if wanted.buffer_bytes:
            srt.set(sock, Option.RCVBUF, wanted.buffer_bytes)
        if wanted.passphrase:
            srt.set(sock, Option.PASSPHRASE, wanted.passphrase.encode())
        if wanted.key_bytes:
            srt.set(sock, Option.PBKEYLEN, wanted.key_bytes)
        if wanted.stream_id:
            srt.set(sock, Option.STREAMID, wanted.stream_id.encode())
        return sock

    def _connected(self, sock: int) -> int:
        wanted = self._wanted
        if wanted.mode == "call":
            self.figures.state = "calling"
            self._srt.connect(sock, wanted.host, wanted.port)
            return sock
        self._srt.listen(sock, wanted.host, wanted.port)
        self.figures.state = "listening"
        self._say()
        return self._srt.accept(sock)

    def _receive(self, sock: int, out: BinaryIO, times: BinaryIO) -> None:
        buffer, control = ctypes.create_string_buffer(1500), MessageControl()
        start = time.monotonic()
        while not _input_ended():
            size = self._srt.receive(sock, buffer, control)
            now = time.monotonic()
            if size:
                self._count(size, now - start)
                if self._wanted.follow:
                    self._follow(buffer.raw[:size], control)
                out.write(buffer.raw[:size])
                times.write(TIMES.pack(control.srctime, time.time_ns(), control.pktseq, size))
            if self._wanted.pause_ms:
                time.sleep(self._wanted.pause_ms / 1000)
            if now - self._said_at >= _LINE_EVERY_S:
                out.flush()
                self._read_stats(sock)
                self._say()
        self._read_stats(sock)

    def _count(self, size: int, since_start_s: float) -> None:
        figures = self.figures
        figures.last_at = time.time()
        figures.first_at = figures.first_at or figures.last_at
        figures.bytes += size
        figures.packets += 1
        if self._wanted.follow:
            return
        while len(figures.seconds) <= since_start_s:
            figures.seconds.append(0)
        figures.seconds[int(since_start_s)] += size

    def _follow(self, payload: bytes, control: MessageControl) -> None:
        figures = self.figures
        if self._before is not None:
            sequence, due_us = self._before
            figures.gaps += (control.pktseq - sequence) % _SEQUENCE_NUMBERS != 1
            figures.longest_pause_ms = max(figures.longest_pause_ms, (control.srctime - due_us) / 1000)
        self._before = control.pktseq, control.srctime
        self._follower.take(payload)
        figures.continuity_errors, figures.sync_errors = self._follower.errors()

    def _read_stats(self, sock: int) -> None:
        stats, figures = self._srt.stats(sock), self.figures
        figures.latency_ms = self._srt.get(sock, Option.RCVLATENCY)
        figures.key_state = KeyState(self._srt.get(sock, Option.RCVKMSTATE)).name.lower()
        figures.key_bytes = self._srt.get(sock, Option.PBKEYLEN)
        figures.stream_id = self._srt.text(sock, Option.STREAMID)
        figures.rtt_ms = stats.msRTT
        figures.packets_received = stats.pktRecvTotal
        figures.packets_unique = stats.pktRecvUniqueTotal
        figures.packets_lost = stats.pktRcvLossTotal
        figures.packets_retransmitted = stats.pktRcvRetrans
        figures.packets_dropped = stats.pktRcvDropTotal
        figures.packets_undecrypted = stats.pktRcvUndecryptTotal

    def _say(self) -> None:
        self._said_at = time.monotonic()
        say(**asdict(self.figures))


def _writer(path: str) -> BinaryIO:
    return Path(path or "/dev/null").open("wb")


def _input_ended() -> bool:
    readable, _, _ = select.select([0], [], [], 0)
    return bool(readable)


def main() -> None:
    """Receive as the first line of standard input orders."""
    be_punctual()
    _Receiver(Wanted(**json.loads(sys.stdin.readline()))).run()


if __name__ == "__main__":
    main()
