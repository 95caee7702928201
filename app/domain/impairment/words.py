"""Describes an impairment in one line for the event log, badges and tables, and remarks on its effects."""

from __future__ import annotations

from collections.abc import Iterator

from app.domain.figures.relay import LATE_SHARE_MAX, RelayFigures
from app.domain.impairment.model import Bursts, DirectionImpairment, FourProbabilities, Impairment


def summary(impairment: Impairment) -> str:
    """Return a line such as `g1050-d, seed 7: to target 32 ms …; to caller …`, or that nothing is impaired."""
    ways = [
        f"{name}: {', '.join(parts)}"
        for name, direction in (("to target", impairment.to_target), ("to caller", impairment.to_caller))
        if direction is not None and (parts := list(_parts(direction)))
    ]
    if len(ways) == 2 and impairment.to_target == impairment.to_caller:
        ways = ["both ways" + ways[0].removeprefix("to target")]
    if impairment.events:
        ways.append(f"{len(impairment.events)} events")
    if ways and impairment.event_speed != 1:
        ways.append(f"rare events {impairment.event_speed:g} times as often")
    name = f"{impairment.profile}, " if impairment.profile else ""
    return f"{name}seed {impairment.seed}: {'; '.join(ways)}" if ways else "nothing is impaired"


def remarks(figures: RelayFigures) -> list[str]:
    """Explain in sentences what the figures of a relay do not show by themselves."""
    found = []
    if reordered := figures.to_target.reordered + figures.to_caller.reordered:
        found.append(
            f"{reordered} datagrams were reordered, not lost. SRT takes each gap for a loss and requests the datagram "
            "again, so both ends count losses and retransmissions."
        )
    if figures.late > LATE_SHARE_MAX * figures.relayed():
        found.append(
            f"This machine is busy: {figures.late} datagrams left more than 3 ms late, so the path is slower than set."
        )
    return found


def _parts(direction: DirectionImpairment) -> Iterator[str]:
    jitter = f" + 0-{direction.jitter_ms:g}" if direction.jitter_ms else ""
    if direction.delay_ms or direction.jitter_ms:
        yield f"delay {direction.delay_ms:g}{jitter} ms"
    yield from _losses(direction)
    if direction.reorder_ms:
        yield f"reordering {direction.reorder_ms:g} ms"
    if direction.duplicate_percent:
        yield f"duplicates {direction.duplicate_percent:g} %"
    if direction.route_flap:
        yield f"route flap {direction.route_flap.by_ms:g} ms every {direction.route_flap.every_s:g} s"


def _losses(direction: DirectionImpairment) -> Iterator[str]:
    if direction.loss_percent:
        of = "" if direction.loss_of == "all" else f" of {direction.loss_of} datagrams"
        yield f"loss {direction.loss_percent:g} %{of}"
    if isinstance(direction.bursts, Bursts):
        yield f"bursts {direction.bursts.loss_percent:g} %, mean {direction.bursts.mean_burst:g}"
    if isinstance(direction.bursts, FourProbabilities):
        yield "loss by four probabilities"
    if direction.outage:
        yield f"outage {direction.outage.for_ms:g} ms every {direction.outage.every_s:g} s"
    if direction.rate_mbps:
        yield f"limit {direction.rate_mbps:g} Mb/s"
    if direction.mtu_bytes:
        yield f"MTU {direction.mtu_bytes}"
