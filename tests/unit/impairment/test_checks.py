"""A wrong impairment is refused with the field that is wrong and the remedy."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from app.domain.impairment.checks import bounds_of, problem_with_outage, problems_with
from app.domain.impairment.model import SEED_MAX, DirectionImpairment, Impairment


def impairment(**document: Any) -> Impairment:
    return msgspec.convert(document, Impairment)


def test_the_documented_impairment_is_accepted() -> None:
    made = impairment(
        profile="g1050-d",
        seed=7,
        to_target={"delay_ms": 32, "jitter_ms": 40, "loss_percent": 0.04},
        to_caller=None,
        events=[],
    )

    assert problems_with(made) == {}
    assert made.to_target == DirectionImpairment(delay_ms=32, jitter_ms=40, loss_percent=0.04)


@pytest.mark.parametrize(
    ("direction", "field", "expected"),
    [
        ({"loss_percent": 101}, "loss_percent", "101 is outside 0 to 100 %"),
        ({"delay_ms": -1}, "delay_ms", "-1 is outside 0 to 10000 ms"),
        ({"jitter_ms": 5001}, "jitter_ms", "outside 0 to 5000 ms"),
        ({"reorder_ms": 1e9}, "reorder_ms", "outside 0 to 1000 ms"),
        ({"rate_mbps": 0}, "rate_mbps", "outside 0.01 to 10000 Mb/s"),
        ({"mtu_bytes": 67}, "mtu_bytes", "outside 68 to 65535 bytes"),
        ({"queue_ms": 0}, "queue_ms", "outside 1 to 10000 ms"),
        ({"outage": {"every_s": 0, "for_ms": 50}}, "outage.every_s", "outside 0.1 to 86400 s"),
        ({"outage": {"every_s": 1, "for_ms": 1000}}, "outage.for_ms", "never ends; make it shorter"),
        ({"bursts": {"kind": "gilbert", "loss_percent": 2, "mean_burst": 0.5}}, "bursts.mean_burst", "outside 1 to"),
        ({"bursts": {"kind": "gilbert", "loss_percent": 60, "mean_burst": 1}}, "bursts.loss_percent", "lengthen the"),
        ({"bursts": {"kind": "gilbert", "loss_percent": 100}}, "bursts.loss_percent", "lower the loss"),
        (
            {"bursts": {"kind": "gilbert_elliott", "good_to_bad_percent": -1, "bad_to_good_percent": 5}},
            "bursts.good_to_bad_percent",
            "outside 0 to 100 %",
        ),
        ({"route_flap": {"every_s": 5, "by_ms": -1}}, "route_flap.by_ms", "outside 0 to 10000 ms"),
    ],
)
def test_a_figure_outside_its_range_is_named_with_the_range(
    direction: dict[str, Any], field: str, expected: str
) -> None:
    problems = problems_with(impairment(to_caller=direction))

    assert list(problems) == [f"impairment.to_caller.{field}"]
    assert expected in problems[f"impairment.to_caller.{field}"]


def test_all_wrong_fields_are_named_at_once() -> None:
    wrong = impairment(
        seed=-1, to_target={"delay_ms": -1}, to_caller={"loss_percent": 101}, events=[{"kind": "rebind", "at_s": -2}]
    )

    assert set(problems_with(wrong)) == {
        "impairment.seed",
        "impairment.to_target.delay_ms",
        "impairment.to_caller.loss_percent",
        "impairment.events.0.at_s",
    }


def test_a_figure_that_is_no_number_is_refused() -> None:
    assert "impairment.to_target.delay_ms" in problems_with(Impairment(to_target=DirectionImpairment(delay_ms=1e999)))
    not_a_number = Impairment(to_target=DirectionImpairment(loss_percent=float("nan")))
    assert "impairment.to_target.loss_percent" in problems_with(not_a_number)


def test_more_events_than_are_kept_are_refused() -> None:
    crowd = impairment(events=[{"kind": "outage", "at_s": 1, "for_ms": 40}] * 1001)

    assert "list 1000 at most" in problems_with(crowd)["impairment.events"]


def test_an_outage_may_come_as_often_as_it_is_shorter_than_the_time_between_two() -> None:
    hourly = {"every_s": 60, "for_ms": 3000}

    assert problems_with(impairment(event_speed=15, to_target={"outage": hourly})) == {}
    assert "impairment.to_target.outage.for_ms" in problems_with(
        impairment(event_speed=20, to_target={"outage": hourly})
    )


def test_an_outage_now_has_the_bounds_of_every_outage() -> None:
    assert problem_with_outage(400) is None
    assert "outside 1 to 600000 ms" in (problem_with_outage(0) or "")


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field `packet_loss`"):
        impairment(to_target={"packet_loss": 3})


def test_every_number_of_a_direction_has_bounds() -> None:
    described = {*bounds_of(DirectionImpairment), "loss_of", "bursts", "outage", "route_flap"}

    assert described == set(DirectionImpairment.__struct_fields__)
    assert bounds_of(Impairment)["seed"].high == SEED_MAX
