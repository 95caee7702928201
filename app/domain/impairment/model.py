"""An impairment as an operator describes it: what happens to the datagrams of each direction.

Each field carries its title, unit and bounds; `checks.py` checks them, and the rules between fields.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

SMALL_DATAGRAM_BYTES: Final = 204  # 16 bytes of SRT header and one transport packet: anything smaller carries control
UDP_IP_BYTES: Final = 28  # IPv4 and UDP headers, which a rate limit and an MTU count
EVENTS_MAX: Final = 1000
SEED_MAX: Final = 2**53 - 1  # what JSON readers in other languages keep exactly


CutDirection = Literal["both", "to_target", "to_caller"]


class Bounds(msgspec.Struct, frozen=True):
    """The range of a figure, both ends allowed, and its unit."""

    low: float
    high: float
    unit: str = ""


def _figure(title: str, low: float, high: float, unit: str = "", description: str = "") -> Meta:
    return Meta(title=title, description=description or title, extra={"bounds": Bounds(low, high, unit)})


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A frozen part of an impairment that refuses fields it does not know."""


class Bursts(_Part, frozen=True, tag_field="kind", tag="gilbert"):
    """Loss in bursts, by the share that is lost and the mean length of a burst (Gilbert's model)."""

    loss_percent: Annotated[float, _figure("Loss in bursts", 0, 100, "%")]
    mean_burst: Annotated[float, _figure("Mean burst length", 1, 10_000, "datagrams")] = 3.0


class FourProbabilities(_Part, frozen=True, tag_field="kind", tag="gilbert_elliott"):
    """Loss by a good and a bad state (Gilbert-Elliott): both changes of state and the loss in each.

    With `per` = `millisecond` the state changes with time and not with each datagram, as in ITU-T G.1050.
    """

    good_to_bad_percent: Annotated[float, _figure("Good to bad", 0, 100, "%")]
    bad_to_good_percent: Annotated[float, _figure("Bad to good", 0, 100, "%")]
    loss_in_bad_percent: Annotated[float, _figure("Loss in the bad state", 0, 100, "%")] = 100.0
    loss_in_good_percent: Annotated[float, _figure("Loss in the good state", 0, 100, "%")] = 0.0
    per: Literal["datagram", "millisecond"] = "datagram"


class PeriodicOutage(_Part, frozen=True):
    """Nothing passes for `for_ms`, every `every_s`; the first time after `every_s`."""

    every_s: Annotated[float, _figure("Outage every", 0.1, 86_400, "s")]
    for_ms: Annotated[float, _figure("Outage length", 1, 600_000, "ms")]


class RouteFlap(_Part, frozen=True):
    """The delay grows by `by_ms` after `every_s`, and returns to normal after another `every_s`."""

    every_s: Annotated[float, _figure("Route flap every", 0.1, 86_400, "s")]
    by_ms: Annotated[float, _figure("Route flap by", 0, 10_000, "ms")]


class DirectionImpairment(_Part, frozen=True):
    """What happens to the datagrams of one direction.

    `jitter_ms` moves the delay up and down by that much and keeps the order. `reorder_ms` holds `reorder_percent` of
    the datagrams back by up to that much, each one independently, so that others overtake them.
    """

    delay_ms: Annotated[float, _figure("Delay", 0, 10_000, "ms")] = 0.0
    jitter_ms: Annotated[
        float, _figure("Jitter", 0, 5_000, "ms", "The delay varies by 0 to this much; the order is kept")
    ] = 0.0
    reorder_ms: Annotated[
        float, _figure("Reordering", 0, 1_000, "ms", "Each datagram is held back independently, by 0 to this much")
    ] = 0.0
    reorder_percent: Annotated[float, _figure("Datagrams that are held back", 0, 100, "%")] = 100.0
    loss_percent: Annotated[float, _figure("Random loss", 0, 100, "%")] = 0.0
    loss_of: Literal["all", "small", "large"] = "all"
    bursts: Bursts | FourProbabilities | None = None
    duplicate_percent: Annotated[float, _figure("Duplicates", 0, 100, "%")] = 0.0
    outage: PeriodicOutage | None = None
    route_flap: RouteFlap | None = None
    rate_mbps: Annotated[float, _figure("Rate limit", 0.01, 10_000, "Mb/s", "Headers included")] | None = None
    queue_ms: Annotated[float, _figure("Queue before the rate limit", 1, 10_000, "ms")] = 200.0
    mtu_bytes: (
        Annotated[
            int, _figure("MTU", 68, 65_535, "bytes", "Datagrams that are larger than this, headers included, are lost")
        ]
        | None
    ) = None


class OutageEvent(_Part, frozen=True, tag_field="kind", tag="outage"):
    """One outage, `at_s` after the first datagram."""

    at_s: Annotated[float, _figure("Outage at", 0, 86_400, "s")]
    for_ms: Annotated[float, _figure("Outage length", 1, 600_000, "ms")]
    direction: CutDirection = "both"


class OutageOrder(_Part, frozen=True):
    """An outage from now on."""

    for_ms: Annotated[float, _figure("Outage length", 1, 600_000, "ms")]
    direction: CutDirection = "both"


class RebindEvent(_Part, frozen=True, tag_field="kind", tag="rebind"):
    """A NAT forgets its mapping `at_s` after the first datagram: every caller appears from another source port."""

    at_s: Annotated[float, _figure("Rebinding at", 0, 86_400, "s")]


class Impairment(_Part, frozen=True):
    """What a relay does, the same on each run with the same `seed` and the same datagrams.

    `profile` names where the figures come from. Without either direction the relay takes those of the profile; with
    only one of them, the other direction is not impaired. `event_speed` makes outages and route flaps come that many
    times as often, so that a rehearsal of minutes meets what a link shows in hours.
    """

    profile: str | None = None
    seed: Annotated[int, _figure("Seed", 0, SEED_MAX)] = 1
    to_target: DirectionImpairment | None = None
    to_caller: DirectionImpairment | None = None
    events: list[OutageEvent | RebindEvent] = []
    event_speed: Annotated[float, _figure("Rare events", 1, 1_000, "times as often")] = 1.0
