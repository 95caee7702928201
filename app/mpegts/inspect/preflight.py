"""The pre-flight verdict: judges an analysis for a file that is to go on air, line by line with figures.

Limits: ETSI TR 101 290 (PCR 40 ms, PAT and PMT 500 ms), ISO/IEC 13818-1 (PCR 100 ms).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from app.domain.constants import PCR_INTERVAL_MS_DVB, PCR_INTERVAL_MS_MPEG, TS_PACKET_BYTES
from app.mpegts.inspect.report import Analysis, Finding, Level, Repetition


def judged(analysis: Analysis) -> Analysis:
    """Return the analysis with its findings and verdict."""
    findings = tuple(_findings(analysis))
    levels = {finding.level for finding in findings}
    verdict = next((level for level in (Level.FAULT, Level.ATTENTION) if level in levels), Level.GOOD)
    return msgspec.structs.replace(analysis, findings=findings, verdict=verdict)


def _findings(analysis: Analysis) -> Iterator[Finding]:
    yield from _rate(analysis)
    yield from _clocks(analysis)
    yield from _tables(analysis)
    yield from _continuity(analysis)
    scrambled = [pid.pid for pid in analysis.pids if pid.is_scrambled]
    if scrambled:
        text = f"scrambled: PID {_list(scrambled)}; GStreamer discards these packets, the engine Direct does not"
        yield Finding(Level.FAULT, "Scrambling", text)
    for programme in analysis.programmes:
        if programme.pcr_pid in scrambled:
            text = f"the clock (PCR) of programme {programme.number} is in scrambled packets: choose the engine Direct"
            yield Finding(Level.FAULT, "PCR", text)


def _rate(analysis: Analysis) -> Iterator[Finding]:
    if not analysis.bitrate_bps:
        yield Finding(Level.FAULT, "Bitrate", "unknown without a running clock (PCR); the file cannot be paced")
        return
    kind = "constant" if analysis.is_constant_bitrate else "variable, on average"
    yield Finding(Level.GOOD, "Bitrate", f"{kind} {analysis.bitrate_bps / 1e6:.3f} Mb/s")


def _clocks(analysis: Analysis) -> Iterator[Finding]:
    for programme in analysis.programmes:
        name = f"programme {programme.number}"
        longest_ms = programme.pcr.longest_ms
        if programme.pcr_pid is None or longest_ms is None:
            yield Finding(Level.FAULT, "PCR", f"{name} has no clock (PCR)")
            continue
        text = f"{name}: every {programme.pcr.mean_ms:.1f} ms, at most {longest_ms:.1f} ms apart"
        if longest_ms > PCR_INTERVAL_MS_MPEG:
            yield Finding(Level.FAULT, "PCR", f"{text}; MPEG allows {PCR_INTERVAL_MS_MPEG} ms, {_late(programme.pcr)}")
        elif longest_ms > PCR_INTERVAL_MS_DVB:
            yield Finding(
                Level.ATTENTION, "PCR", f"{text}; DVB allows {PCR_INTERVAL_MS_DVB} ms, {_late(programme.pcr)}"
            )
        else:
            yield Finding(Level.GOOD, "PCR", text)
        if programme.pcr_jumps:
            text = f"{name}: the clock jumps {_times(programme.pcr_jumps)} inside the file; the picture may break there"
            yield Finding(Level.FAULT, "PCR", text)


def _tables(analysis: Analysis) -> Iterator[Finding]:
    if not analysis.programmes:
        yield Finding(Level.FAULT, "PAT", "there is no programme table (PAT); receivers find no programme")
        return
    yield _repetition("PAT", "PAT", analysis.pat)
    for programme in analysis.programmes:
        if not programme.pmt.count:
            yield Finding(Level.FAULT, "PMT", f"programme {programme.number} has no map (PMT)")
        else:
            yield _repetition("PMT", f"PMT of programme {programme.number}", programme.pmt)


def _repetition(subject: str, name: str, found: Repetition) -> Finding:
    if found.longest_ms is None:
        return Finding(Level.ATTENTION, subject, f"{name}: only {_times(found.count)} in the file")
    text = f"{name}: every {found.mean_ms:.0f} ms, at most {found.longest_ms:.0f} ms apart"
    if found.late:
        return Finding(Level.FAULT, subject, f"{text}; DVB allows {found.limit_ms:.0f} ms, {_late(found)}")
    return Finding(Level.GOOD, subject, text)


def _continuity(analysis: Analysis) -> Iterator[Finding]:
    if analysis.continuity_errors:
        where = _list([pid.pid for pid in analysis.pids if pid.continuity_errors])
        text = f"packets are missing or out of order {_times(analysis.continuity_errors)}, on PID {where}"
        yield Finding(Level.FAULT, "Continuity", text)
    else:
        yield Finding(Level.GOOD, "Continuity", "no packet is missing or out of order")
    if analysis.transport_errors:
        text = f"{analysis.transport_errors} packets carry the transport error indicator; GStreamer discards them"
        yield Finding(Level.FAULT, "Packets", text)
    # Every recording is cut at its start and end, so less than a packet is normal there.
    if analysis.bytes_skipped >= 2 * TS_PACKET_BYTES:
        yield Finding(Level.ATTENTION, "Packets", f"{analysis.bytes_skipped} bytes lie outside of packets; skipped")


def _late(found: Repetition) -> str:
    return f"exceeded {_times(found.late)}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _list(pids: list[int]) -> str:
    shown = ", ".join(f"{pid} (0x{pid:X})" for pid in pids[:8])
    return shown if len(pids) <= 8 else f"{shown} and {len(pids) - 8} more"
