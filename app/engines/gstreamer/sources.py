"""Selects the source part for a source spec."""

from __future__ import annotations

from typing import assert_never

from app.domain.endings import CannotSend
from app.domain.spec import BarsSource, FileSource, MulticastSource, SendSpec
from app.domain.status import Reason
from app.engines.gstreamer.file_source import FilePart
from app.engines.gstreamer.multicast_source import MulticastPart
from app.engines.gstreamer.source import Progress, SourcePart
from app.protocol import Job, Notify
from app.sources.looping_file import LoopingReader
from app.sources.packet_file import piece_bytes


def build_source(job: Job, spec: SendSpec, progress: Progress, notify: Notify) -> SourcePart:
    """Build the source of a job. Raises CannotSend."""
    source = spec.source
    match source:
        case FileSource():
            if job.file_path is None:
                raise CannotSend(Reason.FILE_MISSING, "the job names no file")
            reader = LoopingReader(job.file_path, loop=source.loop, bitrate_bps=job.bitrate_bps, notify=notify)
            return FilePart(
                reader,
                piece_bytes=piece_bytes(job.bitrate_bps),
                smoothing_latency_ms=spec.smoothing_latency_ms,
                progress=progress,
                notify=notify,
            )
        case MulticastSource():
            return MulticastPart(source, smoothing_latency_ms=spec.smoothing_latency_ms, notify=notify)
        case BarsSource():
            from app.engines.gstreamer.bars_source import (
                BarsPart,
            )  # imported here: its encoders use memory that only bars need

            return BarsPart(source, smoothing_latency_ms=spec.smoothing_latency_ms, name=spec.name)
        case _:
            assert_never(source)
