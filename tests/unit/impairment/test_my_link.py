"""My link: the figures of an impairment made of a measurement, and own profiles from any document."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from app.domain.errors import InvalidInput, LimitReached, NotFound
from app.domain.impairment.model import Bursts, PeriodicOutage
from app.domain.impairment.my_link import MeasuredLink, profile_of, quantile
from app.domain.impairment.own_profiles import parse_profiles
from app.rehearsal.own_profiles import OwnProfiles

MEASURED = MeasuredLink("test", rtt_p50_ms=80, rtt_p95_ms=100, loss_percent=2, longest_gap_ms=120, seconds=600)


def entry(**fields: Any) -> dict[str, Any]:
    return {"name": "arena", "title": "Arena", "citation": "measured there", "to_target": {"delay_ms": 9}, **fields}


def test_the_rtt_of_my_link_has_the_median_and_the_p95_that_were_measured() -> None:
    way = profile_of(MEASURED).to_target
    chance = Random(7)
    rtts = [2 * way.delay_ms + (chance.random() + chance.random()) * way.jitter_ms for _ in range(100_000)]
    assert quantile(rtts, 0.5) == pytest.approx(80, abs=0.5)
    assert quantile(rtts, 0.95) == pytest.approx(100, abs=0.5)


def test_my_link_twice_has_twice_the_loss_and_twice_the_gap_and_says_so() -> None:
    once, twice = profile_of(MEASURED), profile_of(MEASURED, times=2)
    assert (once.to_target.loss_percent, twice.to_target.loss_percent) == (2, 4)
    assert (once.to_caller.outage, twice.to_caller.outage) == (PeriodicOutage(600, 120), PeriodicOutage(600, 240))
    assert twice.to_target.delay_ms == once.to_target.delay_ms
    assert (once.citation, "times 2" in twice.citation) == ("test", True)


def test_a_burst_length_makes_bursts_of_the_loss() -> None:
    way = profile_of(MeasuredLink("test", 40, 40, loss_percent=3, mean_burst=4)).to_target
    assert (way.loss_percent, way.bursts, way.jitter_ms, way.outage) == (0, Bursts(3, 4), 0, None)


@pytest.mark.parametrize("link", [MeasuredLink("x", 0, 500, 80, 50, 90_000), MeasuredLink("x", 900, 1, 60, 1)])
def test_any_measurement_twice_is_a_profile_that_can_be_kept(link: MeasuredLink) -> None:
    made = msgspec.to_builtins(profile_of(link, times=2))
    assert parse_profiles({"profiles": [{**made, "citation": "measured"}]})


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([], "profiles"),
        ({"profiles": []}, "profiles"),
        ({"profiles": [{}] * 1000}, "profiles"),
        ({"profiles": ["arena"]}, "profiles.0"),
        ({"profiles": [entry(), entry(name="B")]}, "profiles.1.name"),
        ({"profiles": [entry(name="g1050-d")]}, "profiles.0.name"),
        ({"profiles": [entry(name="../x")]}, "profiles.0.name"),
        ({"profiles": [entry(), entry()]}, "profiles.1.name"),
        ({"profiles": [entry(citation=" ")]}, "profiles.0.citation"),
        ({"profiles": [entry(title="a\x00b")]}, "profiles.0.title"),
        ({"profiles": [entry(title="a" * 81)]}, "profiles.0.title"),
        ({"profiles": [entry(script="x")]}, "profiles.0.script"),
        ({"profiles": [entry(to_caller={"loss_percent": 101})]}, "profiles.0.to_caller.loss_percent"),
        ({"profiles": [entry(to_caller={"bursts": {"kind": "none"}})]}, "profiles.0.to_caller.bursts.kind"),
        ({"profiles": [entry(to_target=7)]}, "profiles.0.to_target"),
    ],
)
def test_a_hostile_import_is_refused_by_entry_and_field(document: object, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_profiles(document)
    assert list(refused.value.fields) == [field]


def test_own_profiles_are_there_after_a_restart_and_a_damaged_file_is_none(tmp_path: Path) -> None:
    path = tmp_path / "impairment_profiles.json"
    OwnProfiles(path).keep(parse_profiles({"profiles": [entry(), entry(name="studio")]}))
    own = OwnProfiles(path)
    own.remove("arena")
    with pytest.raises(NotFound):
        own.remove("arena")
    assert [profile.name for profile in OwnProfiles(path).all()] == ["studio"]
    path.write_text("{")
    assert OwnProfiles(path).all() == []


def test_no_more_own_profiles_are_kept_than_allowed(tmp_path: Path) -> None:
    own = OwnProfiles(tmp_path / "profiles.json")
    own.keep(parse_profiles({"profiles": [entry(name=f"p{number}") for number in range(200)]}))
    with pytest.raises(LimitReached):
        own.keep(parse_profiles({"profiles": [entry()]}))
    assert len(own.all()) == 200
