"""The receiving ends of runs: a receive stream of this host or of another one, or the posted report of a probe."""

from __future__ import annotations

from typing import NamedTuple, assert_never

from app.domain.errors import InvalidInput, NotFound
from app.domain.hosts import HostEntry
from app.domain.lineup.content import Content, content_of
from app.domain.lineup.measured import IndicatorSeconds, ReceiverSecond, receiver_second
from app.domain.lineup.plan import LocalReceiver, NotOurs, Plan, ProbeReceiver, RemoteReceiver
from app.domain.spec import ReceiveSpec
from app.lineup.ends import CannotRead, ReceiverEnd, Streams
from app.lineup.probe_end import ProbeEnd
from app.lineup.probe_reports import ProbeReports
from app.lineup.remote_end import RemoteEnd
from app.machine.steady_clock import unix_now


class Installations(NamedTuple):
    """Where receiving ends can be: this host's streams, other installations, and posted probe reports."""

    streams: Streams
    hosts: tuple[HostEntry, ...]
    probes: ProbeReports


def receiver_end(plan: Plan, known: Installations) -> ReceiverEnd | None:
    """Return the receiving end that a plan names, None if it is another product. Raises InvalidInput."""
    match plan.receiver:
        case LocalReceiver(key=key):
            return LocalEnd(known.streams, key)
        case RemoteReceiver(host=name, key=key):
            entry = next((entry for entry in known.hosts if entry.name == name), None)
            if entry is None:
                raise InvalidInput.of({"receiver.host": f"HOSTS names no host {name!r}; add it with its API key"})
            return RemoteEnd(entry, key)
        case ProbeReceiver(report=report_id):
            return ProbeEnd(known.probes, report_id)
        case NotOurs():
            return None
        case _:
            assert_never(plan.receiver)


class LocalEnd:
    """A receive stream of this installation."""

    def __init__(self, streams: Streams, key: str) -> None:
        self._streams = streams
        self._key = key

    def check(self) -> str:
        """Return the stream's label. Raises InvalidInput if the key names no receive stream."""
        try:
            snapshot = self._streams.get(self._key)
        except NotFound:
            raise InvalidInput.of({"receiver.key": f"there is no stream {self._key}"}) from None
        if not isinstance(snapshot.spec, ReceiveSpec):
            raise InvalidInput.of({"receiver.key": "this stream sends; choose a receive stream"})
        return snapshot.spec.label()

    def read(self, seconds: int) -> list[ReceiverSecond]:
        """Return the last seconds, from the worker's history."""
        try:
            return [receiver_second(point) for point in self._streams.deliveries(self._key, seconds)]
        except NotFound:
            raise CannotRead("the receive stream was removed") from None

    def indicators(self) -> tuple[IndicatorSeconds, ...] | None:
        """Return the error-seconds, from the worker's live analysis."""
        try:
            analysis = self._streams.get(self._key).analysis
        except NotFound:
            raise CannotRead("the receive stream was removed") from None
        if analysis is None:
            return None
        return tuple(IndicatorSeconds(each.name, each.priority, each.error_seconds) for each in analysis.indicators)

    def content(self) -> Content:
        """Return the findings of the worker's decoders."""
        try:
            return content_of(self._streams.get(self._key).outputs, unix_now())
        except NotFound:
            raise CannotRead("the receive stream was removed") from None
