"""An SRT sender over libsrt without a bandwidth cap: it retransmits requested packets as fast as it can.

The sender is a separate process: `with Sender(path, port) as sender:` sends a file at a constant rate, repeatedly or
`once`.
"""

from __future__ import annotations

import ctypes
import json
import select
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.instruments.child import JsonChild, be_punctual, say
from tests.instruments.libsrt_abi import LibSrt, Option, SrtError
from tests.instruments.waiting import wait_for

_PAYLOAD_BYTES = 1316
_LINGER_S = 1.0


@dataclass
class Wanted:
    """What to send and where. `mode` is call or listen. `once` ends _LINGER_S after the last packet of the file."""

    path: str
    port: int
    mode: str = "call"
    host: str = "127.0.0.1"
    bitrate_bps: int = 8_000_000
    latency_ms: int = 20
    passphrase: str = ""
    key_bytes: int = 0
    once: bool = False
    payload_bytes: int = _PAYLOAD_BYTES


def _connected(srt: LibSrt, wanted: Wanted) -> int:
    sock = srt.socket()
    srt.set(sock, Option.TRANSTYPE, 0)
    srt.set(sock, Option.PEERLATENCY, wanted.latency_ms)
    if wanted.passphrase:
        srt.set(sock, Option.PASSPHRASE, wanted.passphrase.encode())
        srt.set(sock, Option.PBKEYLEN, wanted.key_bytes)
    if wanted.mode == "call":
        srt.connect(sock, wanted.host, wanted.port)
        return sock
    srt.listen(sock, wanted.host, wanted.port)
    say(state="listening")
    return srt.accept(sock)


def _send(srt: LibSrt, sock: int, wanted: Wanted) -> None:
    library = srt._lib
    library.srt_sendmsg.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_int, ctypes.c_int]
    data, size = Path(wanted.path).read_bytes(), wanted.payload_bytes
    packets = [data[at : at + size] for at in range(0, len(data), size)]
    started, sent_bytes, number = time.monotonic(), 0, 0
    while not select.select([0], [], [], 0.002)[0]:
        while sent_bytes * 8 < (time.monotonic() - started) * wanted.bitrate_bps:
            packet = packets[number % len(packets)]
            if library.srt_sendmsg(sock, packet, len(packet), -1, 1) < 0:
                raise SrtError(srt.error())
            sent_bytes, number = sent_bytes + len(packet), number + 1
            if wanted.once and number == len(packets):
                say(state="sent", packets=number)
                time.sleep(_LINGER_S)
                return


def main() -> None:
    """Send as the first line of standard input orders, until the input ends or has a further line."""
    be_punctual()
    wanted, srt = Wanted(**json.loads(sys.stdin.readline())), LibSrt()
    try:
        sock = _connected(srt, wanted)
        say(state="connected")
        _send(srt, sock, wanted)
    except SrtError as error:
        say(state="ended", error=str(error))
        return
    srt.close(sock)
    say(state="ended", error="")
    srt.cleanup()


class Sender:
    """A running sender. `wanted` are the fields of Wanted."""

    def __init__(self, path: Path, port: int, **wanted: Any) -> None:
        self.child = JsonChild("tests.instruments.srt_sender", first={"path": str(path), "port": port, **wanted})

    def wait_for_state(self, state: str, *, deadline_s: float = 30) -> None:
        """Wait until the sender has reported a state: listening, connected, sent or ended."""
        wait_for(
            lambda: f'"{state}"' in self.child.output(),
            deadline_s=deadline_s,
            what=f"the sender {state}; it said {self.child.output()} {self.child.complaints()}",
        )

    def close(self) -> None:
        """End the sender."""
        self.child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


if __name__ == "__main__":
    main()
