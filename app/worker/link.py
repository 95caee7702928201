"""The worker's end of the Unix socket. Several listeners may connect, and none of them can delay the worker."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from app import protocol
from app.machine.lines import LineReader, LineTooLong
from app.protocol import LINE_BYTES_MAX, FromWorker, ToWorker

_UNREAD_BYTES_MAX: Final = 8 * 1024 * 1024
_KEPT_WHILE_ALONE: Final = 500
_BACKLOG: Final = 16


class _Client:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.unsent = bytearray()
        self.lines = LineReader(LINE_BYTES_MAX)


class WorkerLink:
    """Serves one socket. `greeting` returns the first lines of a connection; `on_order` handles orders.

    While no manager is connected, a bounded number of events is kept for the next. Samples are not: history has them.
    """

    def __init__(
        self,
        path: Path,
        selector: selectors.BaseSelector,
        *,
        greeting: Callable[[], list[FromWorker]],
        on_order: Callable[[ToWorker], None],
    ) -> None:
        self._path = path
        self._selector = selector
        self._greeting = greeting
        self._on_order = on_order
        self._clients: list[_Client] = []
        self._kept: deque[bytes] = deque(maxlen=_KEPT_WHILE_ALONE)
        path.unlink(missing_ok=True)
        self._listener = _listen(path)
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def serve_again(self) -> None:
        """Make the socket's file again if it was removed; the next manager could not find this worker without it.

        A file that exists now belongs to another worker and is not touched.
        """
        if self._path.exists():
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            listener = _listen(self._path)
        except OSError:
            return  # tried once a second: it succeeds when the folder can be written again
        self._selector.unregister(self._listener)
        self._listener.close()
        self._listener = listener
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def say(self, message: FromWorker, *, keep: bool = True) -> None:
        """Send a line to every connection. Without a connection, keep the line if `keep`."""
        line = protocol.encode(message)
        if not self._clients and keep:
            self._kept.append(line)
        for client in list(self._clients):
            self._send(client, line)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # the caller is gone again, or no descriptor is left
        connection.setblocking(False)
        client = _Client(connection)
        self._clients.append(client)
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._serve(client))
        lines = [protocol.encode(message) for message in self._greeting()]
        self._send(client, b"".join([*lines, *self._kept]))
        self._kept.clear()

    def _serve(self, client: _Client) -> None:
        self._send(client, b"")
        try:
            received = client.connection.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        try:
            lines = client.lines.feed(received)
        except LineTooLong:
            received = b""
        if not received:
            self._drop(client)
            return
        for line in lines:
            with contextlib.suppress(msgspec.DecodeError):  # a line of another protocol version is ignored
                self._on_order(protocol.decode_to_worker(line))

    def _send(self, client: _Client, line: bytes) -> None:
        client.unsent += line
        try:
            while client.unsent:
                del client.unsent[: client.connection.send(client.unsent)]
        except BlockingIOError:
            if len(client.unsent) > _UNREAD_BYTES_MAX:
                self._drop(client)
                return
        except OSError:
            self._drop(client)
            return
        if client in self._clients:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.unsent else 0)
            self._selector.modify(client.connection, wanted, lambda: self._serve(client))

    def _drop(self, client: _Client) -> None:
        if client in self._clients:
            self._clients.remove(client)
            self._selector.unregister(client.connection)
            client.connection.close()

    def close(self) -> None:
        """Close everything and remove the socket. Lines that a slow listener has not taken yet are lost."""
        for client in list(self._clients):
            self._drop(client)
        self._selector.unregister(self._listener)
        self._listener.close()
        self._path.unlink(missing_ok=True)


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(mask)
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener
