"""Impairments from published measurements and standards. Every profile cites the source of its figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from app.domain.errors import InvalidInput
from app.domain.impairment.checks import problems_with
from app.domain.impairment.model import DirectionImpairment, Impairment, PeriodicOutage, RouteFlap

REHEARSAL_SPEED: Final = 15.0  # what G.1050 D shows in an hour, in four minutes
_G1050: Final = "ITU-T G.1050 (TIA-921), core network severities; jitter is uniform"
_RFC8868: Final = "RFC 8868: one-way delays and losses of its test grid"
_HAIVISION: Final = "Haivision SRT Deployment Guide 1.5, RTT multiplier table: the most loss of each row"


class Profile(msgspec.Struct, frozen=True):
    """A named link: what it does in each direction, and the source of the figures."""

    name: str
    title: str
    citation: str
    to_target: DirectionImpairment
    to_caller: DirectionImpairment

    def impairment(self, *, seed: int = 1, event_speed: float = 1.0) -> Impairment:
        """Return the profile as an impairment."""
        return Impairment(
            profile=self.name, seed=seed, to_target=self.to_target, to_caller=self.to_caller, event_speed=event_speed
        )


class _Severity(msgspec.Struct, frozen=True):
    """A row of G.1050: delays, jitter, loss, link failure and route flap."""

    regional_ms: float
    intercontinental_ms: float
    jitter_ms: float
    loss_percent: float
    every_s: float | None
    failure_ms: float
    flap_ms: float


_SEVERITIES: Final = {
    "a": _Severity(4, 16, 5, 0, None, 0, 0),
    "b": _Severity(8, 32, 10, 0.01, 3600, 64, 2),
    "c": _Severity(16, 64, 16, 0.02, 1800, 128, 4),
    "d": _Severity(32, 128, 40, 0.04, 900, 256, 8),
    "e": _Severity(64, 196, 70, 0.1, 480, 400, 16),
    "f": _Severity(128, 256, 100, 0.2, 240, 800, 32),
    "g": _Severity(256, 512, 150, 0.5, 120, 1600, 64),
    "h": _Severity(512, 768, 500, 1, 60, 3000, 128),
}
_GRID_DELAYS_MS: Final = (0, 50, 150, 300)
_GRID_LOSSES_PERCENT: Final = (0, 1, 5, 10, 20)
_HAIVISION_LOSSES_PERCENT: Final = (1, 3, 7, 10)


def _alike(name: str, title: str, citation: str, both: DirectionImpairment) -> Profile:
    return Profile(name, title, citation, to_target=both, to_caller=both)


def _g1050() -> Iterator[Profile]:
    for letter, row in _SEVERITIES.items():
        for region, delay_ms in (("", row.regional_ms), ("-intercontinental", row.intercontinental_ms)):
            yield _alike(
                f"g1050-{letter}{region}",
                f"G.1050 severity {letter.upper()}, {region.lstrip('-') or 'regional'}",
                _G1050,
                DirectionImpairment(
                    delay_ms=delay_ms,
                    jitter_ms=row.jitter_ms,
                    loss_percent=row.loss_percent,
                    outage=None if row.every_s is None else PeriodicOutage(row.every_s, row.failure_ms),
                    route_flap=None if row.every_s is None else RouteFlap(row.every_s, row.flap_ms),
                ),
            )


def _rfc8868() -> Iterator[Profile]:
    for delay_ms in _GRID_DELAYS_MS:
        for loss_percent in _GRID_LOSSES_PERCENT:
            yield _alike(
                f"rfc8868-{delay_ms}ms-{loss_percent}",
                f"RFC 8868: {delay_ms} ms one way, {loss_percent} % loss",
                _RFC8868,
                DirectionImpairment(delay_ms=delay_ms, loss_percent=loss_percent),
            )


def _haivision() -> Iterator[Profile]:
    for loss_percent in _HAIVISION_LOSSES_PERCENT:
        yield _alike(
            f"haivision-{loss_percent}",
            f"Haivision table: {loss_percent} % loss, 50 ms RTT",
            f"{_HAIVISION}; the RTT of 50 ms is an example",
            DirectionImpairment(delay_ms=25, loss_percent=loss_percent),
        )


def _measured() -> Iterator[Profile]:
    yield _alike(
        "monroe-4g",
        "4G, good signal",
        # Uniform between 13.6 and 95.4 ms has this mean and deviation; half of it each way.
        "MONROE, one SIM with a good signal: RTT 54.5 ± 23.6 ms (Telia, 2019); as a uniform spread",
        DirectionImpairment(delay_ms=6.8, jitter_ms=40.9),
    )
    yield _alike(
        "starlink",
        "Starlink",
        "APNIC 2022: RTT 50 ms, quartiles 40 and 60 ms; IMC 2022: up to 50 % loss around the handovers every 15 s; "
        "the length of a handover, 100 ms, is an assumption",
        DirectionImpairment(delay_ms=15, jitter_ms=20, outage=PeriodicOutage(every_s=15, for_ms=100)),
    )
    yield _alike(
        "geo",
        "Geostationary satellite",
        "RFC 8868: 300 ms one way, its longest delay; a geostationary link has about that",
        DirectionImpairment(delay_ms=300),
    )


PROFILES: Final = {profile.name: profile for profile in (*_g1050(), *_rfc8868(), *_haivision(), *_measured())}


def complete(impairment: Impairment) -> Impairment:
    """Fill in the figures of the profile, then check all figures. Raises InvalidInput."""
    impairment = with_profile(impairment)
    if problems := problems_with(impairment):
        raise InvalidInput.of(problems)
    return impairment


def with_profile(impairment: Impairment) -> Impairment:
    """Fill in the figures of the profile, unless a direction has its own. Raises InvalidInput if there is none."""
    if impairment.profile is None or impairment.to_target is not None or impairment.to_caller is not None:
        return impairment
    profile = PROFILES.get(impairment.profile)
    if profile is None:
        raise InvalidInput.of(
            {"impairment.profile": f"{impairment.profile} is not a profile; choose one of {', '.join(PROFILES)}"}
        )
    return msgspec.structs.replace(impairment, to_target=profile.to_target, to_caller=profile.to_caller)
