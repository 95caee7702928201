"""A receive stream of another installation as the receiving end of a run."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, TypeVar
from urllib.parse import quote

import msgspec

from app.domain.errors import InvalidInput
from app.domain.figures.outputs import OutputsReport
from app.domain.figures.reception import ErrorKind
from app.domain.figures.watching import DecoderReport, LoudnessReport, PictureReport, SpellReport
from app.domain.hosts import HostEntry
from app.domain.lineup.content import Content, content_of
from app.domain.lineup.measured import IndicatorSeconds, ReceiverSecond
from app.fleet.client import Garbled, NoAnswer, decode, get
from app.lineup.ends import CLOCKS_AGREE_S, CannotRead
from app.machine.steady_clock import unix_now

_ANSWER_WITHIN_S: Final = 5.0
T = TypeVar("T")


class _RemoteSecond(msgspec.Struct, frozen=True):
    at: float
    packets_unique: int = 0
    packets_dropped: int = 0
    packets_undecryptable: int = 0
    continuity_errors: int = 0
    gap_ms: float = 0.0
    frozen_ms: float = 0.0
    latency_ms: int | None = None
    headroom_ms: int | None = None
    rtt_ms: float | None = None
    lateness_ms: float | None = None
    errors: list[str] = []


class _RemoteHistory(msgspec.Struct, frozen=True):
    samples: Annotated[list[_RemoteSecond], msgspec.Meta(max_length=4000)]


class _RemoteIndicator(msgspec.Struct, frozen=True):
    priority: int = 3
    error_seconds: int = 0


class _RemoteSpell(msgspec.Struct, frozen=True):
    since: datetime | None = None
    seconds: float = 0.0

    def report(self) -> SpellReport:
        """Convert to the form that a worker reports."""
        return SpellReport(since=None if self.since is None else self.since.timestamp(), seconds=self.seconds)


class _RemoteDecoder(msgspec.Struct, frozen=True):
    is_running: bool = False


class _RemotePicture(msgspec.Struct, frozen=True):
    decoder: _RemoteDecoder = _RemoteDecoder()
    black: _RemoteSpell = _RemoteSpell()
    frozen: _RemoteSpell = _RemoteSpell()


class _RemoteLoudness(msgspec.Struct, frozen=True):
    decoder: _RemoteDecoder = _RemoteDecoder()
    since: datetime | None = None
    integrated_lufs: float | None = None
    true_peak_dbtp: float | None = None
    silent: _RemoteSpell = _RemoteSpell()


class _RemoteReception(msgspec.Struct, frozen=True):
    tr101290: dict[str, _RemoteIndicator] = {}
    picture: _RemotePicture | None = None
    loudness: _RemoteLoudness | None = None

    def outputs(self) -> OutputsReport:
        """Convert the decoders' findings to the form that a worker reports."""
        seen, heard = self.picture, self.loudness
        picture: PictureReport | None = None
        loudness: LoudnessReport | None = None
        if seen is not None:
            decoder = DecoderReport(is_running=seen.decoder.is_running)
            picture = PictureReport(decoder, black=seen.black.report(), frozen=seen.frozen.report())
        if heard is not None:
            loudness = LoudnessReport(
                DecoderReport(is_running=heard.decoder.is_running),
                since=None if heard.since is None else heard.since.timestamp(),
                integrated_lufs=heard.integrated_lufs,
                true_peak_dbtp=heard.true_peak_dbtp,
                silent=heard.silent.report(),
            )
        return OutputsReport(picture=picture, loudness=loudness)


class _RemoteStream(msgspec.Struct, frozen=True):
    label: str
    reception: _RemoteReception | None = None


class _RemoteOverview(msgspec.Struct, frozen=True):
    now: str = ""


class _RemoteNow(msgspec.Struct, frozen=True):
    overview: _RemoteOverview


class RemoteEnd:
    """A receive stream of another installation, read over its API.

    Its times are converted to this host's: `clock_ahead_s` is how far its clock is ahead, None before the first second.
    """

    def __init__(self, host: HostEntry, key: str) -> None:
        self.clock_ahead_s: float | None = None
        self._host = host
        self._path = f"/api/streams/{quote(key, safe='')}"

    def check(self) -> str:
        """Return the stream's label and host. Raises InvalidInput if it is not a receive stream there."""
        stream = self._stream()
        if stream.reception is None:
            raise InvalidInput.of(
                {"receiver.key": f"{self._host.name} has no receive stream with this key; choose another"}
            )
        return f"{stream.label} on {self._host.name}"

    def read(self, seconds: int) -> list[ReceiverSecond]:
        """Return the last seconds, from the other host's history."""
        found = self._ask(f"{self._path}/reception?seconds={seconds}", _RemoteHistory)
        if self.clock_ahead_s is None and found.samples:
            ahead_s = found.samples[-1].at - unix_now()
            self.clock_ahead_s = 0.0 if abs(ahead_s) < CLOCKS_AGREE_S else ahead_s
        return [
            ReceiverSecond(
                at=each.at - (self.clock_ahead_s or 0.0),
                packets_unique=each.packets_unique,
                packets_lost=each.packets_dropped + each.packets_undecryptable,
                continuity_errors=each.continuity_errors,
                encoder_errors=each.continuity_errors if ErrorKind.CONTINUITY_ENCODER in each.errors else 0,
                gap_ms=each.gap_ms,
                frozen_ms=each.frozen_ms,
                latency_ms=each.latency_ms,
                headroom_ms=each.headroom_ms,
                rtt_ms=each.rtt_ms,
                lateness_ms=each.lateness_ms,
                is_connected=ErrorKind.DISCONNECTED not in each.errors,
                is_held_up=ErrorKind.HELD_UP in each.errors,
            )
            for each in found.samples
        ]

    def indicators(self) -> tuple[IndicatorSeconds, ...] | None:
        """Return the error-seconds, from the other host's live analysis."""
        reception = self._stream().reception
        if reception is None or not reception.tr101290:
            return None
        return tuple(
            IndicatorSeconds(name, each.priority, each.error_seconds) for name, each in reception.tr101290.items()
        )

    def content(self) -> Content:
        """Return the findings of the other host's decoders."""
        reception, ahead_s = self._stream().reception, self.clock_ahead_s or 0.0
        content = content_of(OutputsReport() if reception is None else reception.outputs(), unix_now() + ahead_s)
        since = None if content.loudness_since is None else content.loudness_since - ahead_s
        return msgspec.structs.replace(content, loudness_since=since)

    def second_there(self) -> float:
        """Return the time of the other host's clock, in whole seconds. Raises CannotRead."""
        shown = self._ask("/api/overview", _RemoteNow).overview.now
        try:
            return datetime.fromisoformat(shown).timestamp()
        except ValueError:
            raise CannotRead(f"{self.host_name} shows no time") from None

    @property
    def host_name(self) -> str:
        """The name of the host in HOSTS."""
        return self._host.name

    def _stream(self) -> _RemoteStream:
        return self._ask(self._path, _RemoteStream)

    def _ask(self, path: str, kind: type[T]) -> T:
        try:
            status, body = get(self._host, path, within_s=_ANSWER_WITHIN_S)
        except NoAnswer as error:
            raise CannotRead(
                f"{self._host.name} does not answer ({error}); check that it runs, and its address in HOSTS"
            ) from None
        if status in (401, 403):
            raise CannotRead(f"{self._host.name} rejects the API key in HOSTS; enter its present key there")
        if status == 404:
            raise CannotRead(f"{self._host.name} has no such stream; choose the key of a receive stream there")
        try:
            return decode(body, kind)
        except Garbled as error:
            raise CannotRead(f"{self._host.name} answers {status}, not as this version does: {error}") from None
