"""The plan of a line-up test: the ends, the checks, the duration and the limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from app.domain.errors import InvalidInput
from app.domain.lineup.limits import Limits
from app.domain.rehearsal.plan import DURATION_S as MARGIN_S
from app.domain.wrong_values import invalid_input

Text = Annotated[str, Meta(max_length=200)]
LongText = Annotated[str, Meta(max_length=2000)]
Profile = Literal["quick", "line-up", "booking", "new-circuit"]
# ITU-T Y.1564 requires 15 min, 2 h and 24 h of a performance test; three minutes are for a repeated line-up.
PROFILE_SECONDS: Final[dict[Profile, int]] = {"quick": 180, "line-up": 900, "booking": 7200, "new-circuit": 86_400}
DURATION_S: Final = (10, 86_400)
BITRATE_MBPS: Final = (0.1, 200.0)


class LocalReceiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="local"):
    """A receive stream of this installation."""

    key: Text


class RemoteReceiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="remote"):
    """A receive stream of another installation; `host` is its name in HOSTS."""

    host: Text
    key: Text


class ProbeReceiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="probe"):
    """A report that `mcr probe --report` posted here. The run judges the past interval of the probe."""

    report: Text


class NotOurs(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="none"):
    """The receiver is another product. Only the sender's figures count, and the report names what was not measured."""


ReceivingEnd = LocalReceiver | RemoteReceiver | ProbeReceiver | NotOurs


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line-up test. `stream` is the key of the send stream under test, None if this host has the receiver only.

    `duration_s` of None means that of the profile. `restart_stream` allows the configuration test to interrupt the
    stream. `limits_name` names the saved limits that `limits` were copied from. `margin` requests the margin test after
    the performance test; it measures for `margin_s`.

    `rate_steps` allows the configuration test to take the stream off air for a minute, and to load its path with a
    temporary sender meanwhile. `bitrate_mbps` is the 100 % of its steps; None takes the stream's bitrate.
    """

    stream: Text | None = None
    receiver: ReceivingEnd = NotOurs()
    profile: Profile = "line-up"
    duration_s: int | None = None
    restart_stream: bool = False
    rate_steps: bool = False
    bitrate_mbps: float | None = None
    margin: bool = False
    margin_s: int = 60
    production: Text = ""
    programme_at: Text = ""
    far_end: Text = ""
    contacts: LongText = ""
    circuit_main: Text = ""
    circuit_backup: Text = ""
    resilience: Text = ""
    expected_services: LongText = ""
    remarks: LongText = ""
    limits_name: Text = ""
    limits: Limits = Limits()

    def seconds(self) -> int:
        """Return the duration of the performance test."""
        return PROFILE_SECONDS[self.profile] if self.duration_s is None else self.duration_s


def parse_plan(document: object) -> Plan:
    """Make a Plan from a decoded JSON object. Raises InvalidInput, which names the field and the remedy."""
    try:
        plan = msgspec.convert(document, Plan)
    except msgspec.ValidationError as error:
        raise invalid_input(error, "plan") from None
    if problems := dict(_problems(plan)):
        raise InvalidInput.of(problems)
    return plan


def _problems(plan: Plan) -> Iterator[tuple[str, str]]:
    low, high = DURATION_S
    if not low <= plan.seconds() <= high:
        yield "duration_s", f"{plan.seconds()} is outside {low} to {high} s"
    if plan.stream is None and isinstance(plan.receiver, NotOurs):
        yield "stream", "choose the stream under test, or the receive stream that measures"
    low, high = MARGIN_S
    if not low <= plan.margin_s <= high:
        yield "margin_s", f"{plan.margin_s} is outside {low} to {high} s"
    low_mbps, high_mbps = BITRATE_MBPS
    if plan.bitrate_mbps is not None and not low_mbps <= plan.bitrate_mbps <= high_mbps:
        yield "bitrate_mbps", f"{plan.bitrate_mbps:g} is outside {low_mbps:g} to {high_mbps:g} Mb/s"
    if plan.rate_steps and plan.stream is None:
        yield "rate_steps", "the rate steps load the path of a send stream of this host; choose the stream under test"
    if plan.margin and plan.stream is None:
        yield "margin", "the margin test copies a send stream of this host; choose the stream under test"
    for name, value in _texts(plan):
        if any(not character.isprintable() and character != "\n" for character in value):
            yield name, "this text has control characters; remove them"


def _texts(plan: Plan) -> Iterator[tuple[str, str]]:
    values: dict[str, Any] = msgspec.structs.asdict(plan)
    return ((name, value) for name, value in values.items() if isinstance(value, str))
