"""Notifies systemd that the server is ready, still answers, and stops (sd_notify(3)).

Without a service manager, nothing here has an effect: systemd sets NOTIFY_SOCKET and WATCHDOG_USEC.
"""

from __future__ import annotations

import http.client
import logging
import os
import socket
import threading
from typing import Final

log = logging.getLogger(__name__)

_ANSWER_WITHIN_S: Final = 5.0
# A server may listen on every address; a client has to call one.
_ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - replaced, not bound


def notify(state: str) -> None:
    """Send a state such as `READY=1` to the service manager, if there is one."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            # A leading @ stands for the zero byte of an abstract socket name.
            sender.sendto(state.encode(), address.replace("@", "\0", 1) if address.startswith("@") else address)
        except OSError as error:
            log.warning("service manager not notified state=%s error=%r", state, error.strerror)


def keep_watchdog_fed(host: str, port: int) -> threading.Event:
    """Begin to notify the service manager, as often as it asked, that this server still answers requests.

    Set the returned event to end it.
    """
    enough = threading.Event()
    period_us = int(os.environ.get("WATCHDOG_USEC") or 0)
    if period_us:
        asked = (enough, _ANY_ADDRESS.get(host, host), port, period_us / 1e6 / 3)
        threading.Thread(target=_feed, args=asked, name="watchdog", daemon=True).start()
    return enough


def _feed(enough: threading.Event, host: str, port: int, every_s: float) -> None:
    while not enough.wait(every_s):
        if _answers(host, port):
            notify("WATCHDOG=1")
        else:
            log.warning("own server does not answer host=%s port=%d", host, port)


def _answers(host: str, port: int) -> bool:
    """Return whether a request is answered at all; a 503 because of an unhealthy stream counts as an answer."""
    connection = http.client.HTTPConnection(host, port, timeout=_ANSWER_WITHIN_S)
    try:
        connection.request("GET", "/health")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
