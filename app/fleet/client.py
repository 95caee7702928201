"""A client for other installations over HTTP, with limits on time and size. Only background threads use it."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from typing import Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from app.domain.hosts import HostEntry

_BODY_BYTES_MAX: Final = 4 * 1024 * 1024
_PIECE_BYTES: Final = 64 * 1024
T = TypeVar("T")


class NoAnswer(Exception):
    """There was no complete answer; the text says why."""


class Garbled(Exception):
    """The answer is not what was asked for; the text says what is wrong."""


def get(host: HostEntry, path: str, *, within_s: float) -> tuple[int, bytes]:
    """Return the status and body of a GET. Raises NoAnswer."""
    return request(host, "GET", path, within_s=within_s)


def request(
    host: HostEntry, method: str, path: str, document: bytes | None = None, *, within_s: float
) -> tuple[int, bytes]:
    """Return the status and body of a request, whose body is a JSON document. Raises NoAnswer.

    Redirects are not followed: they would carry the key to another address.
    """
    deadline = time.monotonic() + within_s
    parts = urlsplit(host.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=within_s)
    headers = {"Authorization": f"Bearer {host.api_key.reveal()}", "Accept": "application/json"}
    if document is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.connect()
        with _ended_at(deadline, connection.sock):
            connection.request(method, f"{parts.path.rstrip('/')}{path}", document, headers)
            answer = connection.getresponse()
            body = _read_body(answer)
        if time.monotonic() >= deadline:
            raise TimeoutError
        return answer.status, body
    except (OSError, http.client.HTTPException, ValueError) as error:
        if time.monotonic() >= deadline:
            raise NoAnswer(f"its answer takes longer than {within_s:g} s") from error
        raise NoAnswer(getattr(error, "strerror", None) or str(error) or type(error).__name__) from error
    finally:
        connection.close()


def _read_body(answer: http.client.HTTPResponse) -> bytes:
    body = bytearray()
    while piece := answer.read1(_PIECE_BYTES):
        body += piece
        if len(body) > _BODY_BYTES_MAX:
            raise NoAnswer(f"it sends more than {_BODY_BYTES_MAX >> 20} MB")
    return bytes(body)


@contextlib.contextmanager
def _ended_at(deadline: float, connection: socket.socket) -> Iterator[None]:
    """End a connection at the deadline: its own time limit begins again with each byte."""
    # A separate descriptor: the number of the first may be another connection's by then.
    twin = socket.fromfd(connection.fileno(), connection.family, connection.type)

    def end() -> None:
        with contextlib.suppress(OSError):  # it is closed already
            twin.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(deadline - time.monotonic(), end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        twin.close()


def decode(body: bytes, kind: type[T]) -> T:
    """Return an answer as a value of that type. Raises Garbled, whatever the bytes are."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Garbled(str(error)) from None
    except RecursionError:
        raise Garbled("it is nested too deeply") from None
