"""Calls a listener many times, one after another or all at once, and reports how the calls ended.

The calls are made in a separate process, because libsrt is loaded there.
"""

from __future__ import annotations

import json
import sys
from typing import Self

from tests.instruments.child import JsonChild, say
from tests.instruments.libsrt_abi import LibSrt, Option, SocketState, SrtError
from tests.instruments.waiting import wait_for


def in_turn(port: int, count: int, *, passphrase: str) -> dict[str, int]:
    """Make `count` calls, each after the end of the previous one. Return the numbers of `refused` and `connected`."""
    return _call({"port": port, "count": count, "passphrase": passphrase, "together": False})


def together(port: int, count: int) -> dict[str, int]:
    """Call with `count` sockets at once. Return the numbers of `refused` and `connected`."""
    return _call({"port": port, "count": count, "passphrase": "", "together": True})


class Crowd:
    """Receivers that call one after another from one UDP port and stay connected."""

    def __init__(self, port: int, count: int, *, from_port: int) -> None:
        """Make `count` calls. The attribute `connected` is the number of calls that were accepted."""
        wanted = {"port": port, "count": count, "passphrase": "", "together": False, "from_port": from_port}
        self._calls = JsonChild("tests.instruments.calls", first=wanted)
        self.connected: int = self._calls.wait_for_line("done", deadline_s=60)["connected"]

    def hang_up(self, count: int) -> None:
        """Close `count` of the connections properly, the newest first."""
        self._calls.notify(f"{count}\n".encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._calls.close()


def _call(first: dict[str, int | str | bool]) -> dict[str, int]:
    with JsonChild("tests.instruments.calls", first=first) as calls:
        return calls.wait_for_line("done", deadline_s=60)


def _refused_in_turn(srt: LibSrt, port: int, count: int, passphrase: str) -> int:
    refused = 0
    for _ in range(count):
        sock = srt.socket()
        if passphrase:
            srt.set(sock, Option.PASSPHRASE, passphrase.encode())
        try:
            srt.connect(sock, "127.0.0.1", port)
        except SrtError:
            refused += 1
        srt.close(sock)
    return refused


def _refused_together(srt: LibSrt, port: int, count: int) -> int:
    sockets = [srt.socket() for _ in range(count)]
    for sock in sockets:
        srt.set(sock, Option.RCVSYN, False)
    for sock in sockets:
        srt.connect(sock, "127.0.0.1", port)
    wait_for(
        lambda: all(srt.state(sock) is not SocketState.CONNECTING for sock in sockets), deadline_s=20, what="an answer"
    )
    return sum(srt.state(sock) is not SocketState.CONNECTED for sock in sockets)


def _stay(srt: LibSrt, port: int, count: int, from_port: int) -> None:
    """Make `count` calls from one UDP port and stay connected until the input ends.

    Each line of the input is a number of connections to close.
    """
    stays = []
    for _ in range(count):
        sock = srt.socket()
        srt.bind(sock, "127.0.0.1", from_port)
        try:
            srt.connect(sock, "127.0.0.1", port)
        except SrtError:
            srt.close(sock)
        else:
            stays.append(sock)
    say(done=True, refused=count - len(stays), connected=len(stays))
    for line in sys.stdin:
        for _ in range(int(line)):
            srt.close(stays.pop())


def main() -> None:
    """Make the calls that the first line of standard input describes."""
    wanted = json.loads(sys.stdin.readline())
    srt = LibSrt()
    if "from_port" in wanted:
        _stay(srt, wanted["port"], wanted["count"], wanted["from_port"])
        return
    if wanted["together"]:
        refused = _refused_together(srt, wanted["port"], wanted["count"])
    else:
        refused = _refused_in_turn(srt, wanted["port"], wanted["count"], wanted["passphrase"])
    say(done=True, refused=refused, connected=wanted["count"] - refused)


if __name__ == "__main__":
    main()
