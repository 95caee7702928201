"""A receiver that is polled. It reads due packets, measures their delivery, and passes them to analysis and outputs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from app.domain.figures.delivery import DeliveryMeter
from app.domain.figures.live_report import LiveReport
from app.domain.figures.rates import payload_bytes
from app.domain.figures.reception import Gauges, ReceivedCounters, Reception
from app.domain.spec import ReceiveSpec
from app.machine.steady_clock import unix_now
from app.mpegts.inspect.live.analyser import LiveAnalyser
from app.protocol import Peer, PeerEvent
from app.receiver.connection import Connection, SrtInput
from app.srt.binding import time_now_us, version_text
from app.srt.messages import Message
from app.srt.options import Option
from app.srt.sockets import KEY_STATES
from app.srt.statistics import Statistics

_READ_EVERY_S: Final = 0.01
# libsrt gives a lost packet up only after the packets before it have been read. A receiver that reads every 10 ms thus
# lets packets in that come 10 ms too late for a decoder. Where packets are lost, this one reads as a decoder does.
_READ_A_LOSSY_PATH_EVERY_S: Final = 0.002
_LOSSY_FOR_S: Final = 1.0  # beyond the latency, in which a lost packet can still be repaired
_GAUGES_EVERY_S: Final = 0.1
_SEQUENCE_NUMBERS: Final = 1 << 31  # draft-sharabayko-srt, 3.1: 31 bits


class Output(Protocol):
    """An object that takes the received bytes, such as a recording. It must not block."""

    def take(self, payloads: Sequence[bytes]) -> None:
        """Take the SRT messages that were read, oldest first."""


class Receiver:
    """One receive stream, in one thread: `open`, `poll` every `wait_s`, `close_second` once a second, `close`."""

    def __init__(
        self, spec: ReceiveSpec, *, dscp: int, notify: Callable[[PeerEvent], None], outputs: Sequence[Output] = ()
    ) -> None:
        self.input = SrtInput(spec, dscp, notify)
        self._outputs = outputs
        self._meter = DeliveryMeter(unix_now())
        self._analyser = LiveAnalyser(unix_now())
        self._continuity_read = self._continuity_errors = 0
        self._next_sequence: int | None = None
        self._polled_at = time.monotonic()
        self._gauged_at = 0.0
        self._reported_lost = 0
        self._lossy_until = 0.0
        self.wait_s = _READ_EVERY_S
        self._readings: list[Statistics] = []
        self._fillings_ms: list[int] = []
        self._has_output = False
        self._ended = ReceivedCounters()
        self._present = ReceivedCounters()
        self.bytes_out = 0
        self.packets_out = 0
        self.last_packet_at: float | None = None

    def open(self) -> None:
        """Bind the port or start the call. Raises CannotSend."""
        self.input.open()

    def poll(self) -> None:
        """Read due packets. Raises Finished when a call has ended."""
        now = time.monotonic()
        held_up_ms = max(0.0, now - self._polled_at - self.wait_s) * 1000
        self._polled_at = now
        self.input.poll()
        had_connection = self.input.connection is not None
        try:
            messages = self.input.read()
        finally:
            if had_connection and self.input.connection is None:
                self._end_connection()
        if messages:
            self._take(messages, held_up_ms)
        if now - self._gauged_at >= _GAUGES_EVERY_S:
            self._gauged_at = now
            self._read_gauges()
            self._choose_interval(now)

    def _take(self, messages: Sequence[Message], held_up_ms: float) -> None:
        now_us, at = time_now_us(), unix_now()
        self._meter.take(now_us, [message.due_us for message in messages], held_up_ms=held_up_ms)
        for message in messages:
            if self._next_sequence not in (None, message.sequence):
                self._analyser.lose()
            self._next_sequence = (message.sequence + 1) % _SEQUENCE_NUMBERS
            self._analyser.feed(message.data, at - (now_us - message.due_us) / 1e6)
        payloads = [message.data for message in messages]
        for output in self._outputs:
            output.take(payloads)
        self.bytes_out += sum(map(len, payloads))
        self._has_output = True
        self.packets_out += len(messages)
        self.last_packet_at = at

    def _read_gauges(self) -> None:
        connection = self.input.connection
        if connection is not None and (statistics := connection.sock.statistics()) is not None:
            self._readings.append(statistics)
            if self._has_output:  # before this, the buffer fills for the first time
                self._fillings_ms.append(statistics.msRcvBuf)
            self._present = _counters(statistics)

    def _choose_interval(self, now: float) -> None:
        """Read more often while lost packets may be repaired at the last moment."""
        if not self._readings:
            return
        newest = self._readings[-1]
        if newest.pktRcvLossTotal > self._reported_lost:
            self._lossy_until = now + newest.msRcvTsbPdDelay / 1000 + _LOSSY_FOR_S
        self._reported_lost = newest.pktRcvLossTotal
        self.wait_s = _READ_A_LOSSY_PATH_EVERY_S if now < self._lossy_until else _READ_EVERY_S

    def _end_connection(self) -> None:
        self._ended = self._ended.plus(self._present)
        self._present = ReceivedCounters()
        self._readings.clear()
        self._fillings_ms.clear()
        self._has_output = False
        self._next_sequence = None
        self._meter.end_connection()
        self._analyser.interrupt()

    def close_second(self, at: float) -> Reception:
        """End the present second of the account; `at` is Unix time."""
        self._read_gauges()
        readings, self._readings = self._readings, []
        headroom_ms = min(self._fillings_ms, default=None)
        self._fillings_ms.clear()
        counted = self._ended.plus(self._present)
        found = ReceivedCounters(
            payload_bytes=self.bytes_out,
            wire_bytes=counted.wire_bytes,
            packets_unique=counted.packets_unique,
            packets_recovered=counted.packets_recovered,
            packets_dropped=counted.packets_dropped,
            packets_belated=counted.packets_belated,
            packets_undecryptable=counted.packets_undecryptable,
            continuity_errors=self._count_continuity_errors(),
        )
        return self._meter.close_second(at, time_now_us(), found, _gauges(readings, headroom_ms))

    def _count_continuity_errors(self) -> int:
        found = self._analyser.continuity_errors_total
        self._continuity_errors += found - self._continuity_read
        self._continuity_read = found
        return self._continuity_errors

    def analysis(self, at: float) -> LiveReport:
        """Return the contents and errors of the transport stream; `at` is Unix time."""
        return self._analyser.report(at)

    def reset(self, at: float) -> None:
        """Count from zero; `at` is Unix time."""
        self._count_continuity_errors()
        self._meter.reset(at)
        self._analyser.reset(at)
        self._continuity_read = 0

    def peers(self) -> list[Peer]:
        """Return the connected sender, if any."""
        connection = self.input.connection
        if connection is None or (statistics := connection.sock.statistics()) is None:
            return []
        return [_peer(connection, statistics)]

    def close(self) -> None:
        """Close the connection and release everything; may be called twice."""
        self.input.close()


def _counters(statistics: Statistics) -> ReceivedCounters:
    # Useful retransmissions: those received, less duplicates and packets that came too late.
    of_no_use = statistics.pktRecvTotal - statistics.pktRecvUniqueTotal
    return ReceivedCounters(
        wire_bytes=statistics.byteRecvTotal,
        packets_unique=statistics.pktRecvUniqueTotal,
        packets_recovered=max(0, statistics.pktRcvRetrans - of_no_use),
        packets_dropped=statistics.pktRcvDropTotal,
        packets_belated=statistics.pktRcvBelated,
        packets_undecryptable=statistics.pktRcvUndecryptTotal,
    )


def _gauges(readings: Sequence[Statistics], headroom_ms: int | None) -> Gauges:
    if not readings:
        return Gauges()
    trips_ms = [reading.msRTT for reading in readings]
    return Gauges(
        connections=1,
        latency_ms=readings[-1].msRcvTsbPdDelay,
        headroom_ms=headroom_ms,
        rtt_min_ms=min(trips_ms),
        rtt_ms=sum(trips_ms) / len(trips_ms),
        rtt_max_ms=max(trips_ms),
        reorder_packets=readings[-1].pktReorderDistance,
    )


def _peer(connection: Connection, statistics: Statistics) -> Peer:
    received = _counters(statistics)
    key_bytes, key_state = connection.sock.option(Option.PBKEYLEN), connection.sock.option(Option.RCVKMSTATE)
    return Peer(
        id=connection.sock.number,
        address=connection.address,
        connected_at=connection.connected_at,
        payload_bytes_total=payload_bytes(statistics.byteRecvUniqueTotal, statistics.pktRecvUniqueTotal),
        wire_bytes_total=received.wire_bytes,
        packets_sent_unique_total=received.packets_unique,
        packets_retransmitted_total=received.packets_recovered,
        packets_dropped_total=received.packets_dropped,
        acks_total=statistics.pktSentACKTotal,
        naks_total=statistics.pktSentNAKTotal,
        packets_reported_lost_total=statistics.pktRcvLossTotal,
        rtt_ms=statistics.msRTT,
        link_capacity_mbps=statistics.mbpsBandwidth,
        negotiated_latency_ms=statistics.msRcvTsbPdDelay,
        key_bits=key_bytes * 8 if key_bytes and key_state == 2 else None,
        encryption_state=KEY_STATES[key_state] if key_state is not None else None,
        peer_version=version_text(connection.peer_version) if connection.peer_version else None,
        stream_id=connection.stream_id,
    )
