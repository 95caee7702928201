"""The order of a network test and its rules."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from app.domain.advice.recommendation import LATENCY_MS_FLOOR
from app.domain.constants import LATENCY_MS_HIGHEST, LATENCY_MS_LOWEST
from app.domain.errors import InvalidInput
from app.domain.names import problem_with_host
from app.domain.wrong_values import invalid_input

BITRATE_MBPS = (0.1, 1000.0)
DURATION_S = (1, 60)
REGION_CHARACTERS = 80
IPERF3_PORT = 5201


class NetworkTestOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One test. `bitrate_mbps` is the stream's: UDP is sent at this rate, and the recommendation assumes it.

    `closest` and `regional` let the program choose a server and use TCP in the sending direction, as public servers
    allow. `lowest_latency_ms` is the lowest latency that may be recommended.
    """

    mode: Literal["closest", "regional", "manual"]
    region: str = ""
    host: str = ""
    port: int = IPERF3_PORT
    protocol: Literal["tcp", "udp"] = "tcp"
    direction: Literal["send", "receive"] = "send"
    bitrate_mbps: float = 10.0
    duration_s: int = 10
    lowest_latency_ms: int = LATENCY_MS_FLOOR

    @property
    def bitrate_bps(self) -> int:
        """Return the stream's bitrate in bit/s."""
        return round(self.bitrate_mbps * 1e6)


def parse_order(document: object) -> NetworkTestOrder:
    """Make an order from a decoded JSON object. Raises InvalidInput, which names every wrong field."""
    try:
        order = msgspec.convert(document, NetworkTestOrder)
    except msgspec.ValidationError as error:
        raise invalid_input(error, "test") from None
    found = {
        "bitrate_mbps": _outside(order.bitrate_mbps, BITRATE_MBPS, "Mb/s"),
        "duration_s": _outside(order.duration_s, DURATION_S, "s"),
        "lowest_latency_ms": _outside(order.lowest_latency_ms, (LATENCY_MS_LOWEST, LATENCY_MS_HIGHEST), "ms"),
        **_mode_problems(order),
    }
    if problems := {field: problem for field, problem in found.items() if problem}:
        raise InvalidInput.of(problems)
    return order


def _mode_problems(order: NetworkTestOrder) -> dict[str, str | None]:
    if order.mode == "manual":
        return {"host": problem_with_host(order.host), "port": _outside(order.port, (1, 65535), "")}
    problems: dict[str, str | None] = {}
    if order.protocol == "udp" or order.direction == "receive":
        problems["protocol"] = "public servers are tested with TCP in the sending direction; UDP needs a manual test"
    if order.mode == "regional" and not (0 < len(order.region) <= REGION_CHARACTERS and order.region.isprintable()):
        problems["region"] = "choose a region"
    return problems


def _outside(value: float, limits: tuple[float, float], unit: str) -> str | None:
    low, high = limits
    if math.isfinite(value) and low <= value <= high:
        return None
    return f"enter {low:g} to {high:g} {unit}".rstrip()
