"""Calls to a listener that must refuse them: so many, one after another, with a passphrase that is wrong.

A process of its own. It says how many were refused and how many were let in.
"""

from __future__ import annotations

import json
import sys

from tests.instruments.child import JsonChild, say
from tests.instruments.libsrt_abi import LibSrt, Option, SrtError


def call(port: int, count: int, *, passphrase: str) -> dict[str, int]:
    """Call so often, and give the numbers of `refused` and `connected`."""
    first = {"port": port, "count": count, "passphrase": passphrase}
    with JsonChild("tests.instruments.refused_calls", first=first) as calls:
        return calls.wait_for_line("done", deadline_s=60)


def main() -> None:
    """Call as the line on standard input says."""
    wanted = json.loads(sys.stdin.readline())
    srt = LibSrt()
    refused = connected = 0
    for _ in range(wanted["count"]):
        sock = srt.socket()
        if wanted["passphrase"]:
            srt.set(sock, Option.PASSPHRASE, wanted["passphrase"].encode())
        try:
            srt.connect(sock, "127.0.0.1", wanted["port"])
            connected += 1
        except SrtError:
            refused += 1
        srt.close(sock)
    say(done=True, refused=refused, connected=connected)


if __name__ == "__main__":
    main()
