"""Samples in the supervisor: the age of figures is right, whatever the clocks of the two processes say."""

from __future__ import annotations

import pytest

from app.domain.figures.sample import Input, Peer, Point, Sample
from app.machine.steady_clock import steady_now, unix_now
from app.supervisor.figures import Figures


def sample(at: float, *, steady_at: float) -> Sample:
    """Return a sample of a worker whose wall clock reads `at`."""
    peer = Peer(id=1, address="192.0.2.7:1", connected_at=at - 60, rtt_ms=1.0, link_capacity_mbps=1.0)
    return Sample(Point(at=at, peers=1, input_at=at - 0.5, steady_at=steady_at), [peer], Input())


@pytest.mark.parametrize("step_s", [-7200.0, 0.0, 7200.0])
def test_a_step_of_the_wall_clock_between_two_processes_makes_no_figure_look_old(step_s: float) -> None:
    figures = Figures()
    figures.take(sample(unix_now() + step_s, steady_at=steady_now()), unix_now())
    assert figures.sample is not None
    (peer,) = figures.sample.peers
    point = figures.history[-1]
    assert point.at == pytest.approx(unix_now(), abs=1.0)
    assert point.at - point.input_at == pytest.approx(0.5, abs=1e-3)
    assert point.at - peer.connected_at == pytest.approx(60, abs=1e-3)


def test_what_a_worker_remembers_is_moved_too_and_no_point_comes_twice() -> None:
    figures = Figures()
    points = [Point(at=1000.0 + n, steady_at=steady_now() - 3 + n) for n in range(3)]
    figures.recall(points)
    figures.recall(points)
    assert len(figures.history) == 3
    assert figures.history[0].at == pytest.approx(unix_now() - 3, abs=1.0)


def test_a_worker_that_does_not_report_the_steady_clock_is_taken_as_of_now() -> None:
    figures = Figures()
    figures.take(sample(unix_now() + 7200, steady_at=0.0), unix_now())
    assert figures.history[-1].at == pytest.approx(unix_now(), abs=1.0)
