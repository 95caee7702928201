"""Distances on Earth, and what counts as a place."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.places import Point, country_point, distance_km

STOCKHOLM, COPENHAGEN, SYDNEY = Point(59.3293, 18.0686), Point(55.6761, 12.5683), Point(-33.8688, 151.2093)
POINTS = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))


def test_known_distances_are_right() -> None:
    assert distance_km(STOCKHOLM, COPENHAGEN) == pytest.approx(522, abs=2)
    assert distance_km(STOCKHOLM, SYDNEY) == pytest.approx(15_596, abs=40)
    assert distance_km(Point(0, 179.9), Point(0, -179.9)) == pytest.approx(22.2, abs=0.1), "across the date line"


@given(POINTS, POINTS)
def test_a_distance_is_symmetric_and_at_most_half_the_globe(one: Point, other: Point) -> None:
    assert distance_km(one, other) == pytest.approx(distance_km(other, one), abs=1e-6)
    assert 0 <= distance_km(one, other) <= math.pi * 6371.1


@pytest.mark.parametrize(("latitude", "longitude"), [(91, 0), (0, 181), (math.nan, 0), (0, math.inf)])
def test_what_is_not_on_earth_is_no_place(latitude: float, longitude: float) -> None:
    with pytest.raises(ValueError, match="no place on Earth"):
        Point(latitude, longitude)


def test_a_country_is_where_its_capital_is() -> None:
    sweden = country_point("se")
    assert sweden is not None
    assert distance_km(sweden, STOCKHOLM) < 10
    assert country_point("XX") is None
    assert country_point("") is None
