"""Sends null packets at one rate after another: `python -m app.srt.rate_source ORDER`, a RateOrder as JSON.

Runs as a child process, because the web process does not load libsrt. It ends by itself, and prints one RateOutcome as
JSON.
"""

from __future__ import annotations

import socket
import sys
import time
from typing import Final

import msgspec

from app.domain.constants import (
    BUFFER_UNIT_BYTES,
    CONNECT_TIMEOUT_MS,
    NULL_PID,
    SRT_PAYLOAD_BYTES,
    TS_PACKET_BYTES,
    TS_SYNC_BYTE,
)
from app.domain.lineup.rates import RateOrder, RateOutcome, SentRate
from app.srt.binding import SrtError, time_now_us
from app.srt.options import Option, OptionRefused
from app.srt.rejections import text_of_rejection
from app.srt.sockets import ENDED, SrtSocket, State

_LOOK_EVERY_S: Final = 0.02
_TURN_S: Final = 0.005
# A path that carries less than the rate fills the send buffer. Packets older than this are no longer sent.
_BEHIND_MAX_US: Final = 500_000
_DRAIN_S: Final = 0.5
_NULL_PACKET: Final = bytes((TS_SYNC_BYTE, NULL_PID >> 8, NULL_PID & 0xFF, 0x10)).ljust(TS_PACKET_BYTES, b"\xff")
_PAYLOAD: Final = _NULL_PACKET * (SRT_PAYLOAD_BYTES // TS_PACKET_BYTES)


def main() -> None:
    """Connect, send every rate, and print what was sent."""
    order = msgspec.json.decode(sys.argv[1], type=RateOrder)
    sys.stdout.buffer.write(msgspec.json.encode(carry_out(order)))


def carry_out(order: RateOrder) -> RateOutcome:
    """Send every rate over one connection."""
    opened: list[SrtSocket] = []
    sent: list[SentRate] = []
    try:
        receiver = _connect(order, opened)
        sent.extend(_send(receiver, rate_bps, order.step_s) for rate_bps in order.rates_bps)
        time.sleep(order.latency_ms / 1000 + _DRAIN_S)
    except (SrtError, OptionRefused, OSError) as error:
        return RateOutcome(tuple(sent), str(error))
    finally:
        for sock in opened:
            sock.close()
    return RateOutcome(tuple(sent))


def _connect(order: RateOrder, opened: list[SrtSocket]) -> SrtSocket:
    """Call the receiver, or wait for its call where the order names no host. Raises OSError without an answer."""
    sock = SrtSocket.create()
    opened.append(sock)
    sock.set_all(
        {
            Option.SNDSYN: False,
            Option.RCVSYN: False,
            Option.CONNTIMEO: CONNECT_TIMEOUT_MS,
            Option.PEERLATENCY: order.latency_ms,
            Option.FC: order.buffer_packets,
            Option.SNDBUF: order.buffer_packets * BUFFER_UNIT_BYTES,
            Option.IPTOS: order.dscp << 2,
        }
    )
    until = time.monotonic() + order.connect_s
    if not order.host:
        sock.bind("", order.port)
        sock.listen(1)
        return _accepted(sock, opened, until)
    *_, address = min(
        socket.getaddrinfo(order.host, order.port, type=socket.SOCK_DGRAM), key=lambda it: it[0] != socket.AF_INET
    )
    sock.connect(str(address[0]), order.port)
    while (state := sock.state()) is not State.CONNECTED:
        if state in ENDED or time.monotonic() > until:
            raise OSError(text_of_rejection(sock.reject_code()))
        time.sleep(_LOOK_EVERY_S)
    return sock


def _accepted(listener: SrtSocket, opened: list[SrtSocket], until: float) -> SrtSocket:
    while (caller := listener.accept()) is None:
        if time.monotonic() > until:
            raise OSError("the receiver did not call")
        time.sleep(_LOOK_EVERY_S)
    opened.append(caller)
    return caller


def _send(receiver: SrtSocket, rate_bps: int, step_s: float) -> SentRate:
    """Send at one rate, each packet with the time at which it is due."""
    interval_us = 8e6 * SRT_PAYLOAD_BYTES / rate_bps
    began_at, before, start_us = time.time(), receiver.statistics(), time_now_us()
    count, end_us = 0, start_us + step_s * 1e6
    while (now_us := time_now_us()) < end_us:
        while (due_us := start_us + count * interval_us) <= now_us:
            if now_us - due_us <= _BEHIND_MAX_US and not receiver.send(_PAYLOAD, int(due_us)):
                break
            count += 1
        time.sleep(_TURN_S)
    after = receiver.statistics()
    if before is None or after is None or receiver.state() in ENDED:
        raise OSError("the connection was lost")
    return SentRate(
        rate_bps=rate_bps,
        began_at=began_at,
        ended_at=time.time(),
        packets=after.pktSentUniqueTotal - before.pktSentUniqueTotal,
        resent=after.pktRetransTotal - before.pktRetransTotal,
    )


if __name__ == "__main__":
    main()
