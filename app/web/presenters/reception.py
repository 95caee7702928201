"""A reception for the API, the pages and `mcr probe`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from app.domain.figures.delivery_verdict import Verdict, judge, severity_of_errors
from app.domain.figures.live_report import IndicatorReport, LiveReport
from app.domain.figures.outputs import ForwardReport, OutputsReport, RecordingEnd, RecordingReport
from app.domain.figures.reception import DeliveryPoint, Reception
from app.mpegts.splice import describe_splice
from app.web.presenters.reception_views import (
    ContentView,
    DeliverySecondView,
    ForwardView,
    IndicatorView,
    LatenessView,
    PidView,
    ReceptionView,
    RecordingView,
    RttView,
    ServiceView,
    VerdictView,
)
from app.web.presenters.watching import present_loudness, present_picture
from app.words.concerns import clock_time
from app.words.indicators import indicator_title

_NO_OUTPUTS = OutputsReport()
_RECORDING_ENDS: Final = {
    RecordingEnd.STOPPED: "stopped",
    RecordingEnd.NO_SPACE: "stopped: too little free space on the disk",
    RecordingEnd.NO_FOLDER: "stopped: the media folder is missing",
    RecordingEnd.NOT_ALLOWED: "stopped: the media folder may not be written to",
    RecordingEnd.DISK_ERROR: "stopped: the disk failed",
}


def present_reception(
    reception: Reception, analysis: LiveReport | None, outputs: OutputsReport = _NO_OUTPUTS, *, whole: bool = False
) -> ReceptionView:
    """Return the account of a reception; with `whole`, its verdict covers the whole period, as for a probe."""
    second, received = reception.second, reception.received
    gauges, late = second.gauges, reception.lateness
    return ReceptionView(
        since=_iso(reception.since) or "",
        seconds=reception.seconds,
        delivered_mbps=_mbps(second.received.payload_bytes, second.span_s),
        wire_mbps=_mbps(second.received.wire_bytes, second.span_s),
        packets_unique=received.packets_unique,
        packets_recovered=received.packets_recovered,
        packets_dropped=received.packets_dropped,
        packets_belated=received.packets_belated,
        packets_undecryptable=received.packets_undecryptable,
        lateness_ms=LatenessView(p50=late.p50, p99=late.p99, max=round(late.max, 1)) if late else None,
        longest_gap_ms=round(reception.longest_gap_ms, 1),
        longest_gap_at=_iso(reception.longest_gap_at),
        longest_freeze_ms=round(reception.longest_freeze_ms, 1),
        longest_freeze_at=_iso(reception.longest_freeze_at),
        quiet_ms=round(reception.quiet_ms, 1),
        headroom_ms=gauges.headroom_ms,
        lowest_headroom_ms=reception.lowest_headroom_ms,
        latency_ms=gauges.latency_ms,
        rtt_ms=_rtt(second),
        ts_df_ms=_rounded(second.ts_df_ms),
        jitter_ms=_rounded(second.jitter_ms),
        reorder_packets=gauges.reorder_packets,
        continuity_errors=received.continuity_errors,
        error_seconds={kind.value: count for kind, count in sorted(reception.error_seconds.items())},
        last_errors={kind.value: _iso(at) or "" for kind, at in sorted(reception.last_error_at.items())},
        verdict=_present_verdict(judge(reception, clock_time, outputs=outputs, whole=whole)),
        **_examined(analysis, outputs),
    )


def _examined(analysis: LiveReport | None, outputs: OutputsReport) -> dict[str, Any]:
    """Return the contents of the stream and its outputs."""
    return {
        "content": _content(analysis) if analysis else None,
        "tr101290": {one.name: _indicator(one) for one in analysis.indicators} if analysis else {},
        "services": _services(analysis) if analysis else [],
        "pids": _pids(analysis) if analysis else [],
        "recording": _recording(outputs.recording) if outputs.recording else None,
        "forward": _forward(outputs.forward) if outputs.forward else None,
        "picture": present_picture(outputs.picture) if outputs.picture else None,
        "loudness": present_loudness(outputs.loudness) if outputs.loudness else None,
    }


def _recording(report: RecordingReport) -> RecordingView:
    state = "recording" if report.end is None else _RECORDING_ENDS[report.end]
    return RecordingView(
        state=f"{state} ({report.detail})" if report.detail else state,
        is_running=report.end is None,
        file=report.file,
        file_bytes=report.file_bytes,
        files=report.files_total,
        bytes_total=report.bytes_total,
        bytes_missing=report.bytes_missing,
    )


def _forward(report: ForwardReport) -> ForwardView:
    return ForwardView(
        datagrams=report.datagrams_total,
        bytes_total=report.bytes_total,
        datagrams_missing=report.datagrams_missing,
        last_error=report.last_error,
    )


def present_delivery_second(point: DeliveryPoint) -> DeliverySecondView:
    """Return a second of the history, or a minute of it."""
    received = point.received
    return DeliverySecondView(
        at=round(point.at, 2),
        span_s=point.span_s,
        delivered_mbps=_mbps(received.payload_bytes, point.span_s),
        wire_mbps=_mbps(received.wire_bytes, point.span_s),
        lateness_ms=_rounded(point.lateness_max_ms),
        gap_ms=round(point.gap_ms, 1),
        frozen_ms=round(point.frozen_ms, 1),
        headroom_ms=point.gauges.headroom_ms,
        latency_ms=point.gauges.latency_ms,
        rtt_ms=_rounded(point.gauges.rtt_ms),
        packets_unique=received.packets_unique,
        packets_recovered=received.packets_recovered,
        packets_dropped=received.packets_dropped,
        packets_undecryptable=received.packets_undecryptable,
        continuity_errors=received.continuity_errors,
        severity=severity_of_errors(point.errors).value,
        errors=[kind.value for kind in point.errors],
    )


def _present_verdict(verdict: Verdict) -> VerdictView:
    return VerdictView(severity=verdict.severity.value, text=verdict.text, findings=list(verdict.findings))


def _content(analysis: LiveReport) -> ContentView:
    return ContentView(
        kind=analysis.content.value,
        detail=analysis.content_detail,
        is_in_sync=analysis.is_in_sync,
        mbps=_megabits(analysis.bitrate_bps),
        mbps_without_nulls=_megabits(analysis.bitrate_without_nulls_bps),
        is_constant_bitrate=analysis.is_constant_bitrate,
        pids_total=analysis.pids_total,
        cues=analysis.cues_total,
        last_cue=_iso(analysis.last_cue.at) if analysis.last_cue else None,
        last_cue_text=describe_splice(bytes.fromhex(analysis.last_cue.section)) if analysis.last_cue else "",
    )


def _indicator(report: IndicatorReport) -> IndicatorView:
    return IndicatorView(
        priority=report.priority,
        title=indicator_title(report.name),
        state=report.state.value,
        count=report.count,
        last=_iso(report.last_at),
        detail=report.last_detail,
        error_seconds=report.error_seconds,
        note=report.note,
    )


def _services(analysis: LiveReport) -> list[ServiceView]:
    return [
        ServiceView(
            number=one.number,
            name=one.name,
            provider=one.provider,
            pmt_pid=one.pmt_pid,
            pcr_pid=one.pcr_pid,
            pids=list(one.pids),
        )
        for one in analysis.services
    ]


def _pids(analysis: LiveReport) -> list[PidView]:
    return [
        PidView(
            pid=one.pid,
            kind=one.kind,
            codec=one.codec,
            language=one.language,
            mbps=round(one.bitrate_bps / 1e6, 3),
            packets=one.packets_total,
            continuity_errors=one.continuity_errors,
            is_scrambled=one.is_scrambled,
            is_pcr=one.is_pcr,
            service=one.service,
            has_captions=one.has_captions,
        )
        for one in analysis.pids
    ]


def _rtt(second: DeliveryPoint) -> RttView | None:
    low, mean, high = second.gauges.rtt_min_ms, second.gauges.rtt_ms, second.gauges.rtt_max_ms
    if low is None or mean is None or high is None:
        return None
    return RttView(min=round(low, 2), avg=round(mean, 2), max=round(high, 2))


def _mbps(count_bytes: int, span_s: int) -> float:
    return round(count_bytes * 8 / max(1, span_s) / 1e6, 3)


def _megabits(bitrate_bps: int | None) -> float | None:
    return None if bitrate_bps is None else round(bitrate_bps / 1e6, 3)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
