"""A client for other installations over HTTP, with limits on time and size. Only background threads use it."""

from __future__ import annotations

import http.client
import time
from typing import Final
from urllib.parse import urlsplit

from app.domain.hosts import HostEntry

_BODY_BYTES_MAX: Final = 4 * 1024 * 1024
_PIECE_BYTES: Final = 64 * 1024


class NoAnswer(Exception):
    """There was no complete answer; the text says why."""


def get(host: HostEntry, path: str, *, within_s: float) -> tuple[int, bytes]:
    """Return the status and body of a GET. Raises NoAnswer.

    Redirects are not followed: they would carry the key to another address.
    """
    deadline = time.monotonic() + within_s
    parts = urlsplit(host.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=within_s)
    headers = {"Authorization": f"Bearer {host.api_key.reveal()}", "Accept": "application/json"}
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}{path}", headers=headers)
        answer = connection.getresponse()
        body = bytearray()
        while piece := answer.read1(_PIECE_BYTES):
            body += piece
            if len(body) > _BODY_BYTES_MAX:
                raise NoAnswer(f"it sends more than {_BODY_BYTES_MAX >> 20} MB")
            if time.monotonic() > deadline:
                raise NoAnswer(f"its answer takes longer than {within_s:g} s")
        return answer.status, bytes(body)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswer(str(error) or type(error).__name__) from error
    finally:
        connection.close()
