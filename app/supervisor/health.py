"""Judges the flow by two samples: is a peer connected, does it acknowledge, does input arrive."""

from __future__ import annotations

from typing import Final, assert_never

from app.domain.figures.counters import growth
from app.domain.figures.sample import Sample
from app.domain.spec import JobSpec, ReceiveSpec, RelaySpec, SendSpec
from app.domain.status import Health

# While data flow, acknowledgements come every 10 ms, packets every few ms. With one sample per second, this is the
# second sample in a row without any: one may be a short stall of the machine, two are a fault, reported within 3 s.
SILENCE_S: Final = 1.5

# The first acknowledgement takes a round trip, which may be a second over satellites.
FIRST_ACKNOWLEDGEMENT_S: Final = 3.0

# A receiver's first packet comes out after the latency, of 8 s at most, and a round trip.
FIRST_PACKET_S: Final = 10.0


class FlowWatch:
    """Follows one worker's samples. A silence counts once it has lasted SILENCE_S."""

    def __init__(self, spec: JobSpec) -> None:
        self._is_live = _has_live_input(spec)
        self._is_receiver = isinstance(spec, ReceiveSpec)
        self._before: Sample | None = None
        self._acknowledged_at: float | None = None
        self._connected_at: float | None = None

    def health(self, sample: Sample) -> Health:
        """Judge the newest sample."""
        now = sample.point.at
        before, self._before = self._before, sample
        if not sample.peers:
            self._acknowledged_at = self._connected_at = None
        else:
            self._connected_at = self._connected_at or now
            if _delivers(before, sample):
                self._acknowledged_at = now
        is_new = self._acknowledged_at is None and now - (self._connected_at or now) < FIRST_ACKNOWLEDGEMENT_S
        if self._is_receiver:
            return _health_of_receiver(sample)
        return Health(
            # A connection that has not acknowledged anything yet gets a moment before it is a fault.
            connected=bool(sample.peers) and not is_new,
            acknowledged=self._acknowledged_at is not None and now - self._acknowledged_at < SILENCE_S,
            has_input=self._has_input(sample),
            is_input_discarded=_is_input_discarded(before, sample),
        )

    def _has_input(self, sample: Sample) -> bool:
        age_s = sample.input.last_packet_age_s
        return not self._is_live or (age_s is not None and age_s < SILENCE_S)


def _is_input_discarded(before: Sample | None, sample: Sample) -> bool:
    """Whether the engine discards packets of the source and sends nothing: the source is at fault, not the peer."""
    if before is None:
        return False
    discarded = growth(before.input.packets_discarded_total, sample.input.packets_discarded_total)
    sent = growth(before.point.packets_sent_unique_total, sample.point.packets_sent_unique_total)
    return bool(discarded) and not sent


def _health_of_receiver(sample: Sample) -> Health:
    """Judge a receiver: it delivers while transport packets come out, the first ones after the latency."""
    age_s, now = sample.input.last_packet_age_s, sample.point.at
    connected_s = max((now - peer.connected_at for peer in sample.peers), default=0.0)
    has_output = age_s is not None and age_s < SILENCE_S
    is_new = connected_s < FIRST_PACKET_S and not has_output
    return Health(
        connected=bool(sample.peers) and not is_new,
        acknowledged=True,
        has_input=has_output or not sample.peers or is_new,
    )


def _delivers(before: Sample | None, sample: Sample) -> bool:
    """Whether the interval proves delivery: acknowledgements, or datagrams in both directions for a relay."""
    if sample.relay is None:
        return growth(before.point.acks_total if before else 0, sample.point.acks_total) > 0
    earlier = before.relay if before else None
    return all(
        growth(getattr(earlier, name).datagrams if earlier else 0, getattr(sample.relay, name).datagrams) > 0
        for name in ("to_target", "to_caller")
    )


def _has_live_input(spec: JobSpec) -> bool:
    """Whether the input arrives in real time, so that its silence is a fault."""
    match spec:
        case SendSpec():
            return spec.source.is_live
        case ReceiveSpec() | RelaySpec():
            return False  # they lack a peer instead, which is shown as such
        case _:
            assert_never(spec)
