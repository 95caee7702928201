"""A worker of an older version of the product. It runs, but the present version cannot read its messages.

Its argument is the path of its socket. SIGTERM ends it.
"""

from __future__ import annotations

import contextlib
import json
import select
import signal
import socket
import sys

_HELLO = {"type": "hello", "stream": "old", "protocol": 0}
_TICK = {"type": "tick", "bytes": 1}


def main() -> None:
    """Send a hello to each new client, and a tick to all clients about twice a second."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    clients = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(sys.argv[1])
        listener.listen(4)
        while True:
            if select.select([listener], [], [], 0.5)[0]:
                clients.append(listener.accept()[0])
                _say(clients[-1], _HELLO)
            for client in clients:
                _say(client, _TICK)


def _say(client: socket.socket, message: dict[str, object]) -> None:
    with contextlib.suppress(OSError):
        client.sendall(json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
