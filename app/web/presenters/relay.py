"""A relay for the pages and the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec.structs import fields

from app.domain.figures.rates import percent
from app.domain.figures.relay import DirectionCounters, DirectionFigures
from app.domain.impairment.words import remarks, summary
from app.domain.snapshot import Snapshot
from app.domain.spec import RelaySpec
from app.web.presenters.counter_views import View, described, with_fields


class _Direction(View, frozen=True):
    """One direction of a relay, in datagrams since its worker's start."""

    lost_percent: Annotated[float | None, described("Lost datagrams, as a share of those received")]
    queue_ms: Annotated[float, described("Present waiting time before the rate limit")]


if TYPE_CHECKING:
    DirectionView = _Direction
else:
    DirectionView = with_fields(_Direction, [(field.name, field.type) for field in fields(DirectionCounters)])


class RelayView(View, frozen=True):
    """The figures of a relay in each direction."""

    impairment_text: Annotated[str, described("The impairment in one line")]
    to_target: DirectionView | None
    to_caller: DirectionView | None
    callers: Annotated[int, described("Callers relayed now")]
    refused: Annotated[int, described("Datagrams of callers above the limit")]
    strangers: Annotated[int, described("Datagrams of unknown senders that do not begin with an SRT handshake")]
    late: Annotated[int, described("Datagrams that left more than 3 ms late because this machine was busy")]
    remarks: Annotated[list[str], described("Remarks on the figures")]


def present_relay(snapshot: Snapshot) -> RelayView | None:
    """Return the view of a relay; None for another kind of stream."""
    if not isinstance(snapshot.spec, RelaySpec):
        return None
    figures = snapshot.sample.relay if snapshot.sample else None
    return RelayView(
        impairment_text=summary(snapshot.spec.impairment),
        to_target=_direction(figures.to_target) if figures else None,
        to_caller=_direction(figures.to_caller) if figures else None,
        callers=figures.callers if figures else 0,
        refused=figures.refused if figures else 0,
        strangers=figures.strangers if figures else 0,
        late=figures.late if figures else 0,
        remarks=remarks(figures) if figures else [],
    )


def _direction(figures: DirectionFigures) -> DirectionView:
    share = percent(figures.lost, figures.datagrams)
    counted: dict[str, Any] = {name: getattr(figures, name) for name in DirectionCounters.__struct_fields__}
    return DirectionView(
        lost_percent=None if share is None else round(share, 3), queue_ms=round(figures.queue_ms, 1), **counted
    )
