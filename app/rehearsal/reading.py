"""Reads the measurements of a rehearsal's streams since the last reading, and adds them up."""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.errors import NotFound
from app.domain.figures.history import Second
from app.domain.figures.reception import DeliveryPoint, ErrorKind
from app.domain.rehearsal.run import Attempt, Rehearsal
from app.domain.rehearsal.tally import HeardSecond, SentSecond, Tally, with_heard, with_sent
from app.machine.steady_clock import unix_now
from app.rehearsal.path import Streams

_OVERLAP_S: Final = 5
_HISTORY_S: Final = 3600  # a worker keeps this many seconds


def read_more(run: Rehearsal, streams: Streams) -> Rehearsal:
    """Return the rehearsal with every second that its attempts do not have yet."""
    began, ends = run.measured_from, run.ends_at()
    if began is None or ends is None:
        return run
    attempts = tuple(_read_attempt(attempt, run, streams, began, ends) for attempt in run.attempts)
    return msgspec.structs.replace(run, attempts=attempts)


def _read_attempt(attempt: Attempt, run: Rehearsal, streams: Streams, began: float, ends: float) -> Attempt:
    tally, gap_max_ms = attempt.tally, run.plan.output_gap_max_ms
    try:
        heard = streams.deliveries(attempt.receiver, _wanted(tally.heard_at or began))
        tally = with_heard(tally, [_heard(each) for each in heard if began < each.at <= ends], gap_max_ms=gap_max_ms)
        sent = streams.history(attempt.sender, _wanted(tally.sent_at or began))
        tally = with_sent(tally, [_sent(each) for each in sent if began < each.at <= ends])
        tally = _with_relay(tally, streams, attempt.relay)
    except NotFound:
        return attempt  # an operator removed one of the streams; missing seconds show this
    return msgspec.structs.replace(attempt, tally=tally)


def _wanted(since: float) -> int:
    return min(_HISTORY_S, int(unix_now() - since) + _OVERLAP_S)


def _heard(point: DeliveryPoint) -> HeardSecond:
    received = point.received
    return HeardSecond(
        at=point.at,
        packets_unique=received.packets_unique,
        packets_lost=received.packets_dropped + received.packets_undecryptable,
        continuity_errors=received.continuity_errors,
        gap_ms=point.gap_ms,
        is_connected=point.gauges.connections > 0,
        is_held_up=ErrorKind.HELD_UP in point.errors,
    )


def _sent(second: Second) -> SentSecond:
    grown = second.rates.grown
    return SentSecond(second.at, grown.packets_sent_unique_total, grown.packets_retransmitted_total)


def _with_relay(tally: Tally, streams: Streams, key: str) -> Tally:
    sample = streams.get(key).sample
    if sample is None or sample.relay is None:
        return tally
    return msgspec.structs.replace(tally, relayed=sample.relay.relayed(), late=sample.relay.late)
