"""Breaks of a listening receiver: it leaves, stays away and returns. Measures the time until payload reaches it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from tests.instruments.product import Product
from tests.instruments.receivers import Ffmpeg, GStreamer, ProgramReceiver, SrtLiveTransmit
from tests.instruments.waiting import free_port, stays, wait_for

Program = Literal["srt-live-transmit", "ffmpeg", "gstreamer"]
PROGRAMS: tuple[Program, ...] = ("srt-live-transmit", "ffmpeg", "gstreamer")
# The limit after any absence. It covers the interval between calls (3 s at most), the start of a worker, the
# connection and the latency.
BACK_WITHIN_S = 6
# Half a second of the sample: more than a connection that breaks immediately could carry.
_DELIVERED_BYTES = 500_000
_LISTENING: dict[Program, Callable[[int], ProgramReceiver]] = {
    "srt-live-transmit": lambda port: SrtLiveTransmit(f":{port}"),
    "ffmpeg": lambda port: Ffmpeg(f"127.0.0.1:{port}", mode="listener"),
    "gstreamer": lambda port: GStreamer(f":{port}", mode="listener"),
}


def measure_returns(product: Product, program: Program, *, breaks: int, away_s: float) -> list[float]:
    """Call a receiver that leaves `breaks` times for `away_s`. Return the seconds from each return to first payload.

    Every second time, the receiver is killed, so that it cannot close its connection. Raises AssertionError if the
    first payload takes more than BACK_WITHIN_S.
    """
    port = free_port()
    key = ""
    returns: list[float] = []
    for absence in range(breaks + 1):
        with _LISTENING[program](port) as receiver:
            wait_for(lambda: _is_bound(port), deadline_s=15, what=f"{program} listens: {receiver.child.complaints()}")
            returned = time.monotonic()
            if absence:
                _wait_for_payload(receiver, product, key, returns)
                returns.append(round(time.monotonic() - returned, 2))
            else:
                key = product.start(endpoint={"mode": "caller", "host": "127.0.0.1", "port": port})["key"]
            receiver.wait_for_bytes(_DELIVERED_BYTES)
            product.wait_for_phase(key, "delivering", deadline_s=3)
            if absence == breaks:
                break
            if absence % 2:
                receiver.child.kill()
        wait_for(lambda: not _is_bound(port), deadline_s=5, what=f"{program} is gone")
        stays(lambda: not _is_bound(port), for_s=away_s, what=f"{program} is away")
    return returns


def _wait_for_payload(receiver: ProgramReceiver, product: Product, key: str, returns: list[float]) -> None:
    try:
        receiver.wait_for_bytes(1, deadline_s=BACK_WITHIN_S)
    except AssertionError as error:
        view = {name: product.stream(key)[name] for name in ("phase", "reason", "restarts")}
        log = "\n".join(product.log_file.read_text().splitlines()[-12:])
        raise AssertionError(f"after returns of {returns} s: {error}; the stream: {view}\n{log}") from None


def _is_bound(port: int) -> bool:
    """Check whether a program has bound the UDP port. Does not bind the port, because the receiver needs it free."""
    wanted = f":{port:04X}"
    tables = (Path("/proc/net/udp"), Path("/proc/net/udp6"))
    rows = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    return any(row[1].endswith(wanted) for row in rows)
