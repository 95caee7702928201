"""Reads the measurements of both ends since the last reading, and adds them to a run."""

from __future__ import annotations

import math
from typing import Final

import msgspec

from app.domain.errors import NotFound
from app.domain.events import HOST_DELAYED_STREAM
from app.domain.lineup.content import content_since
from app.domain.lineup.indicators import follow
from app.domain.lineup.measured import extended
from app.domain.lineup.plan import LocalReceiver
from app.domain.lineup.run import Facts, Run, RunEvent, SettingFact
from app.lineup.ends import ReceiverEnd, Streams, sender_seconds
from app.machine.steady_clock import unix_now

_OVERLAP_S: Final = 5
_HISTORY_S: Final = 3600  # a worker keeps this many seconds
_EVENTS_LOOKED_AT: Final = 100
_EVENTS_MAX: Final = 500
# The time of a connection is computed from its age, by a clock that is adjusted.
_SAME_WITHIN_S: Final = 1.0


def read_more(run: Run, streams: Streams, end: ReceiverEnd | None) -> Run:
    """Return the run with every second that it does not have yet. Raises CannotRead."""
    began, ends = run.performance_at or run.started_at, run.ends_at() or unix_now()
    measured = run.measured
    if (key := run.plan.stream) is not None:
        seconds = sender_seconds(streams, key, _wanted(began, measured.sender))
        measured = extended(measured, sender=[second for second in seconds if began < second.at <= ends])
        run = _with_sender_facts(run, streams, key)
        measured = msgspec.structs.replace(measured, cap_mbps=_cap_mbps(streams, key) or measured.cap_mbps)
    if end is not None:
        theirs = end.read(_wanted(began, measured.receiver))
        measured = extended(measured, receiver=[second for second in theirs if began < second.at <= ends])
        if run.counted_at is None or run.counted_at < ends:
            baseline, indicators = follow(
                run.baseline, measured.indicators, end.indicators(), longest_s=math.ceil(ends - began)
            )
            measured = msgspec.structs.replace(
                measured, indicators=indicators, content=content_since(run.content_before, end.content())
            )
            run = msgspec.structs.replace(run, baseline=baseline, counted_at=unix_now())
    measured = msgspec.structs.replace(measured, reconnected=_reconnected(run, streams, began, ends))
    events, delayed = _events(run, streams)
    return msgspec.structs.replace(
        run, measured=msgspec.structs.replace(measured, sender_delayed=delayed), events=events
    )


def _wanted(began: float, have: tuple[object, ...]) -> int:
    """Return how many seconds to request: those since the last second of the run."""
    last = getattr(have[-1], "at", began) if have else began
    return min(_HISTORY_S, int(unix_now() - last) + _OVERLAP_S)


def _with_sender_facts(run: Run, streams: Streams, key: str) -> Run:
    try:
        snapshot = streams.get(key)
    except NotFound:
        return run
    peers = snapshot.sample.peers if snapshot.sample is not None else []
    versions = {peer.peer_version for peer in peers if peer.peer_version}
    facts: Facts = msgspec.structs.replace(
        run.facts,
        far_end_version=", ".join(sorted(versions)) or run.facts.far_end_version,
        settings=run.facts.settings or tuple(_settings(streams, key)),
    )
    return msgspec.structs.replace(run, facts=facts)


def _reconnected(run: Run, streams: Streams, began: float, ends: float) -> tuple[float, ...]:
    """Return when the end on this host was connected during the run. Of several receivers, each may come and go."""
    key = run.plan.stream or (run.plan.receiver.key if isinstance(run.plan.receiver, LocalReceiver) else "")
    try:
        sample = streams.get(key).sample
    except NotFound:
        return run.measured.reconnected
    times = [peer.connected_at for peer in sample.peers] if sample is not None else []
    known = run.measured.reconnected
    is_new = len(times) == 1 and began < times[0] <= ends and all(abs(times[0] - at) > _SAME_WITHIN_S for at in known)
    return (*known, times[0]) if is_new else known


def _settings(streams: Streams, key: str) -> list[SettingFact]:
    """Return latency, overhead and encryption as requested and as negotiated with the first peer."""
    snapshot = streams.get(key)
    spec, peers = snapshot.spec, snapshot.sample.peers if snapshot.sample is not None else []
    if not peers:
        return []
    peer = peers[0]
    overhead = getattr(spec, "overhead_percent", None)
    encryption = getattr(spec, "encryption", None)
    return [
        SettingFact("Latency", f"{getattr(spec, 'latency_ms', '–')} ms", "", _text(peer.negotiated_latency_ms, "ms")),
        SettingFact("Overhead", _text(overhead, "%"), _text(peer.applied_overhead_percent, "%"), ""),
        SettingFact("Encryption", f"AES-{encryption.key_bits}" if encryption else "none", "", _aes(peer.key_bits)),
    ]


def _aes(bits: int | None) -> str:
    return f"AES-{bits}" if bits else "none"


def _text(value: int | None, unit: str) -> str:
    return "–" if value is None else f"{value} {unit}"


def _cap_mbps(streams: Streams, key: str) -> float | None:
    try:
        sample = streams.get(key).sample
    except NotFound:
        return None
    caps = [peer.max_bandwidth_mbps for peer in sample.peers if peer.max_bandwidth_mbps] if sample is not None else []
    return min(caps, default=None)


def _events(run: Run, streams: Streams) -> tuple[tuple[RunEvent, ...], tuple[float, ...]]:
    """Return the events of the ends on this host since the run began, and its pauses, oldest first."""
    keys = {run.plan.stream, getattr(run.plan.receiver, "key", None)} - {None}
    found = [each for each in streams.events(limit=_EVENTS_LOOKED_AT) if each.key in keys and each.at >= run.started_at]
    events = {RunEvent(entry.at, f"{entry.name or entry.key}: {entry.text}") for entry in found}
    began, ends = run.performance_at or run.started_at, run.ends_at() or unix_now()
    delayed = {each.at for each in found if each.text.startswith(HOST_DELAYED_STREAM) and began <= each.at <= ends}
    return (
        tuple(sorted({*run.events, *events}, key=lambda event: event.at))[-_EVENTS_MAX:],
        tuple(sorted({*run.measured.sender_delayed, *delayed}))[-_EVENTS_MAX:],
    )
