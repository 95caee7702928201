"""The requested outputs of a receive stream, behind one interface for its receiver.

An output's module is imported only on request, so that a reception without outputs uses no memory for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.figures.outputs import ForwardReport, OutputsReport, RecordingEnd, RecordingReport
from app.domain.spec import Forward, ReceiveSpec, Record

if TYPE_CHECKING:
    from app.engines.receiver.decoding.loudness import LoudnessWatch
    from app.engines.receiver.decoding.picture import PictureWatch
    from app.engines.receiver.outputs.forwarding import Forwarding
    from app.engines.receiver.outputs.recording import Recording
    from app.protocol import Job, Notify, Picture

__all__ = ["Outputs"]


class Outputs:
    """All outputs of one reception. An output that cannot start reports why and does not affect the others."""

    def __init__(self, job: Job, spec: ReceiveSpec, notify: Notify) -> None:
        self._recording: Recording | None = None
        self._forwarding: Forwarding | None = None
        self._refused_recording: RecordingReport | None = None
        self._refused_forwarding: ForwardReport | None = None
        self._picture: PictureWatch | None = None
        self._loudness: LoudnessWatch | None = None
        if spec.record is not None:
            self._start_recording(spec.record, job.record_folder)
        if spec.forward is not None:
            self._start_forwarding(spec.forward, job.dscp)
        self._start_decoders(spec, notify)

    def take(self, payloads: Sequence[bytes]) -> None:
        """Pass payloads on. Never blocks."""
        for output in (self._recording, self._forwarding, self._picture, self._loudness):
            if output is not None:
                output.take(payloads)

    def report(self) -> OutputsReport:
        """Return the state of the outputs; None for each that was not requested."""
        return OutputsReport(
            recording=self._recording.report() if self._recording else self._refused_recording,
            forward=self._forwarding.report() if self._forwarding else self._refused_forwarding,
            picture=self._picture.report() if self._picture else None,
            loudness=self._loudness.report() if self._loudness else None,
        )

    def picture(self) -> Picture | None:
        """Return the newest key frame, None without one."""
        return self._picture.newest() if self._picture else None

    def reset(self, at: float) -> None:
        """Count picture and sound from zero; `at` is Unix time."""
        for watch in (self._picture, self._loudness):
            if watch is not None:
                watch.reset(at)

    def stop(self) -> None:
        """Write queued data and release everything."""
        for output in (self._picture, self._loudness, self._forwarding, self._recording):
            if output is not None:
                output.stop()

    def _start_decoders(self, spec: ReceiveSpec, notify: Notify) -> None:
        if spec.picture:
            from app.engines.receiver.decoding.picture import PictureWatch

            self._picture = PictureWatch(notify)
        if spec.loudness:
            from app.engines.receiver.decoding.loudness import LoudnessWatch

            self._loudness = LoudnessWatch(notify)

    def _start_recording(self, record: Record, folder: str | None) -> None:
        from app.engines.receiver.outputs.recording import Recording, RecordingPlan

        if folder is None:
            self._refused_recording = RecordingReport(end=RecordingEnd.NO_FOLDER)
            return
        self._recording = Recording(
            RecordingPlan(
                Path(folder),
                record.name,
                file_bytes_max=record.file_megabytes * 1_000_000 if record.file_megabytes else None,
                file_seconds_max=record.file_minutes * 60.0 if record.file_minutes else None,
            )
        )

    def _start_forwarding(self, forward: Forward, dscp: int) -> None:
        from app.engines.receiver.outputs.forwarding import Forwarding, ForwardPlan

        plan = ForwardPlan(
            address=forward.address,
            port=forward.port,
            protocol=forward.protocol,
            interface=forward.interface,
            ttl=forward.ttl,
            dscp=dscp,
        )
        try:
            self._forwarding = Forwarding(plan)
        except OSError as error:
            self._refused_forwarding = ForwardReport(last_error=error.strerror or str(error))
