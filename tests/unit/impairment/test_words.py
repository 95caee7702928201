"""The sentences about a relay's effect."""

from __future__ import annotations

from app.domain.figures.relay import DirectionFigures, RelayFigures
from app.domain.impairment.model import DirectionImpairment, Impairment, PeriodicOutage
from app.domain.impairment.words import remarks, summary


def figures(*, late: int = 0, reordered: int = 0) -> RelayFigures:
    return RelayFigures(
        DirectionFigures(datagrams=900), DirectionFigures(datagrams=100, reordered=reordered), late=late
    )


def test_a_rehearsal_speed_is_in_the_summary() -> None:
    way = DirectionImpairment(outage=PeriodicOutage(900, 256))
    said = summary(Impairment(to_target=way, to_caller=way, event_speed=15))
    assert said == "seed 1: both ways: outage 256 ms every 900 s; rare events 15 times as often"


def test_a_relay_as_set_needs_no_remark() -> None:
    assert remarks(figures()) == remarks(figures(late=50)) == []


def test_reordering_is_explained_as_no_loss() -> None:
    (said,) = remarks(figures(reordered=7))
    assert said.startswith("7 datagrams were reordered, not lost.")


def test_a_relay_that_a_busy_machine_slows_says_so() -> None:
    (said,) = remarks(figures(late=51))
    assert "busy: 51 datagrams" in said
