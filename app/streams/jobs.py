"""Makes the job for a spec: finds the file, measures its rate and selects the engine."""

from __future__ import annotations

from typing import Final, assert_never

import msgspec

from app.domain.carriage import Choice, Hindrance, choose_engine, needs_a_look
from app.domain.constants import BARS_BITRATE_BPS
from app.domain.errors import InvalidInput
from app.domain.spec import (
    BarsSource,
    Engine,
    FileSource,
    JobSpec,
    MulticastSource,
    ReceiveSpec,
    RelaySpec,
    SendSpec,
    Source,
)
from app.media.patience import PatientLibrary
from app.mpegts.inspect.media_check import SCRAMBLED_CLOCK
from app.protocol import Job
from app.settings import Settings

WORKER_MEMORY_BYTES: Final = 256 * 1024 * 1024


class _Input(msgspec.Struct, frozen=True):
    """What is known of a job's input before it runs."""

    file_path: str | None = None
    bitrate_bps: int | None = None
    is_constant_bitrate: bool = False
    record_folder: str | None = None
    clock_pid: int | None = None
    hindrances: frozenset[Hindrance] = frozenset()
    is_clock_scrambled: bool = False


class JobMaker:
    """Makes jobs with the settings and the media folder of one installation."""

    def __init__(self, settings: Settings, media: PatientLibrary) -> None:
        self._settings = settings
        self._media = media

    def job_for(self, key: str, spec: JobSpec) -> Job:
        """Return the job for a spec. Raises InvalidInput if its file cannot be sent."""
        return self._job(key, spec, self._input_of(spec))

    def bare_job(self, key: str, spec: JobSpec) -> Job:
        """Return the job without facts from the media folder, for a stream that is not to be started."""
        return self._job(key, spec, _Input())

    def _job(self, key: str, spec: JobSpec, source: _Input) -> Job:
        choice = self._choice(spec, source)
        return Job(
            key=key,
            spec=spec,
            file_path=source.file_path,
            bitrate_bps=source.bitrate_bps,
            is_constant_bitrate=source.is_constant_bitrate,
            clock_pid=source.clock_pid,
            engine=choice.engine if choice else None,
            engine_reason=choice.why if choice else "",
            receivers_max=self._settings.max_receivers,
            dscp=self._settings.qos_dscp,
            relay_targets=self._settings.relay_targets,
            memory_bytes=WORKER_MEMORY_BYTES,
            record_folder=source.record_folder,
        )

    def _choice(self, spec: JobSpec, source: _Input) -> Choice | None:
        """Return the engine of a send stream; None without a choice, or if only the worker can choose."""
        default = self._settings.default_engine
        if not isinstance(spec, SendSpec) or needs_a_look(spec, default):
            return None
        choice = choose_engine(spec, default, source.hindrances)
        if source.is_clock_scrambled and choice.engine is Engine.GSTREAMER:
            raise InvalidInput.of({"source.path": SCRAMBLED_CLOCK})
        return choice

    def _input_of(self, spec: JobSpec) -> _Input:
        match spec:
            case SendSpec():
                return self._input_from(spec.source)
            case ReceiveSpec():
                return _Input(record_folder=self._record_folder() if spec.record else None)
            case RelaySpec():
                return _Input()
            case _:
                assert_never(spec)

    def _record_folder(self) -> str:
        try:
            return str(self._media.folder)
        except InvalidInput as missing:
            raise InvalidInput.of({"record": next(iter(missing.fields.values()))}) from None

    def _input_from(self, source: Source) -> _Input:
        match source:
            case FileSource():
                path = str(self._media.resolve(source.path))
                check = self._media.check(source.path)
                return _Input(
                    file_path=path,
                    bitrate_bps=check.bitrate_bps,
                    is_constant_bitrate=check.is_constant_bitrate,
                    clock_pid=check.pcr_pid,
                    hindrances=check.hindrances,
                    is_clock_scrambled=check.is_clock_scrambled,
                )
            case BarsSource():
                return _Input(bitrate_bps=BARS_BITRATE_BPS, is_constant_bitrate=True)
            case MulticastSource():
                return _Input()
            case _:
                assert_never(source)
