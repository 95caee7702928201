"""What is said of a relay's effect."""

from __future__ import annotations

from app.domain.figures.relay import DirectionFigures, RelayFigures
from app.domain.impairment.words import remarks


def figures(*, late: int = 0, reordered: int = 0) -> RelayFigures:
    return RelayFigures(
        DirectionFigures(datagrams=900), DirectionFigures(datagrams=100, reordered=reordered), late=late
    )


def test_a_relay_as_set_needs_no_remark() -> None:
    assert remarks(figures()) == remarks(figures(late=50)) == []


def test_reordering_is_explained_as_no_loss() -> None:
    (said,) = remarks(figures(reordered=7))
    assert said.startswith("7 datagrams were reordered, not lost.")


def test_a_relay_that_a_busy_machine_slows_says_so() -> None:
    (said,) = remarks(figures(late=51))
    assert "busy: 51 datagrams" in said
