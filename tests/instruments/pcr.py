"""Measures how evenly a sender passes a transport stream to SRT. Compares PCRs with the SRT packets' origin times.

A receiver with TSBPD delivers each packet at its origin time plus the latency. The result is therefore the jitter that
a decoder sees behind an ideal network, without the scheduling noise of the machine that captures.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from tests.instruments.wire import Packet

_TS_BYTES = 188
_PCR_HZ = 27_000_000
_TIMESTAMP_WRAP_US = 1 << 32


@dataclass(frozen=True)
class PcrJitter:
    """Absolute deviations of `count` PCRs from the straight line through all points, in microseconds."""

    count: int
    median_us: float
    p99_us: float
    worst_us: float


def pcr_of(packet: bytes) -> int | None:
    """Return the programme clock reference of a TS packet in ticks of 27 MHz, or None (ISO/IEC 13818-1, 2.4.3.4)."""
    if packet[0] != 0x47 or not packet[3] & 0x20 or packet[4] < 7 or not packet[5] & 0x10:
        return None
    base = int.from_bytes(packet[6:10], "big") << 1 | packet[10] >> 7
    return base * 300 + ((packet[10] & 1) << 8 | packet[11])


def pcr_jitter(packets: Iterable[Packet], *, bitrate_bps: int) -> PcrJitter:
    """Measure the PCR jitter of a constant-rate stream from the packets of one connection, captured with payload.

    Retransmissions are ignored. A PCR in TS packet k of an SRT packet (k from 0) is due k x 188 bytes after that
    packet's origin time. A PCR discontinuity (the seam of a loop) ends the measurement.
    """
    offsets_us: list[tuple[float, float]] = []
    first_pcr: int | None = None
    last_pcr = 0
    origin_us, wraps, last_stamp = 0.0, 0, 0
    for packet in packets:
        header = packet.header()
        if header is None or header.control_type is not None or header.is_retransmitted:
            continue
        wraps += header.timestamp_us < last_stamp - _TIMESTAMP_WRAP_US // 2
        last_stamp = header.timestamp_us
        origin_us = header.timestamp_us + wraps * _TIMESTAMP_WRAP_US
        payload = packet.payload()
        for index in range(len(payload) // _TS_BYTES):
            pcr = pcr_of(payload[index * _TS_BYTES : (index + 1) * _TS_BYTES])
            if pcr is None:
                continue
            if first_pcr is not None and not 0 < pcr - last_pcr < _PCR_HZ:
                return _deviation(offsets_us)
            first_pcr = pcr if first_pcr is None else first_pcr
            last_pcr = pcr
            clock_us = (pcr - first_pcr) * 1e6 / _PCR_HZ
            sent_us = origin_us + index * _TS_BYTES * 8e6 / bitrate_bps
            offsets_us.append((clock_us, sent_us - clock_us))
    return _deviation(offsets_us)


def _deviation(offsets_us: list[tuple[float, float]]) -> PcrJitter:
    assert len(offsets_us) > 100, f"only {len(offsets_us)} PCRs were captured"
    # A straight line, not a constant: the rates of the two clocks may differ by a few parts per million.
    line = statistics.linear_regression([clock for clock, _ in offsets_us], [offset for _, offset in offsets_us])
    level = statistics.median(offset - line.slope * clock for clock, offset in offsets_us)
    deviations = sorted(abs(offset - line.slope * clock - level) for clock, offset in offsets_us)
    return PcrJitter(
        count=len(deviations),
        median_us=statistics.median(deviations),
        p99_us=deviations[int(len(deviations) * 0.99)],
        worst_us=deviations[-1],
    )
