"""Profiles are data with a source, and all of them are valid."""

from __future__ import annotations

import msgspec
import pytest

from app.domain.errors import InvalidInput
from app.domain.impairment.checks import problems_with
from app.domain.impairment.model import DirectionImpairment, Impairment, PeriodicOutage, RouteFlap
from app.domain.impairment.profiles import PROFILES, REHEARSAL_SPEED, Profile, with_profile


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_profile_cites_its_source_and_is_valid(profile: Profile) -> None:
    assert any(source in profile.citation for source in ("G.1050", "RFC 8868", "MONROE", "APNIC", "Haivision"))
    assert len(profile.citation) > 20
    assert problems_with(profile.impairment()) == {}
    assert problems_with(msgspec.structs.replace(profile.impairment(), event_speed=REHEARSAL_SPEED)) == {}


def test_the_severities_are_those_of_the_recommendation() -> None:
    regional, far = PROFILES["g1050-d"], PROFILES["g1050-h-intercontinental"]

    assert regional.to_target == DirectionImpairment(
        delay_ms=32,
        jitter_ms=40,
        loss_percent=0.04,
        outage=PeriodicOutage(every_s=900, for_ms=256),
        route_flap=RouteFlap(every_s=900, by_ms=8),
    )
    assert (far.to_caller.delay_ms, far.to_caller.jitter_ms, far.to_caller.loss_percent) == (768, 500, 1)
    assert len([name for name in PROFILES if name.startswith("g1050-")]) == 16
    assert len([name for name in PROFILES if name.startswith("rfc8868-")]) == 20


def test_a_profile_fills_in_the_figures_unless_a_direction_has_its_own() -> None:
    own = DirectionImpairment(delay_ms=5)

    assert with_profile(Impairment(profile="geo")).to_caller == DirectionImpairment(delay_ms=300)
    assert with_profile(Impairment(profile="geo", to_target=own)).to_caller is None


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="lte-15 is not a profile; choose one of g1050-a"):
        with_profile(Impairment(profile="lte-15"))
