"""Runs the complete configuration test: the checks of sender, path, receiver and clocks, in this order."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from app.domain.lineup.measured import Check, CheckVerdict
from app.domain.lineup.plan import Plan
from app.domain.snapshot import Snapshot
from app.lineup.checks import check_receiver, check_restart, check_sender
from app.lineup.clocks import check_clock, compare_clocks
from app.lineup.ends import CLOCKS_AGREE_S, CannotRead, ReceiverEnd, Streams
from app.lineup.path_checks import check_path
from app.lineup.remote_end import RemoteEnd


class Ends(NamedTuple):
    """The ends of a run. `sender` and `receiver` are None if they are not this product."""

    streams: Streams
    sender: Snapshot | None
    receiver: ReceiverEnd | None


def check_configuration(plan: Plan, ends: Ends, wait: Callable[[float], object]) -> tuple[Check, ...]:
    """Make every check. `wait` pauses; it returns early when the program ends."""
    checks: list[Check] = []
    if ends.sender is not None:
        checks += check_sender(plan, ends.sender) + check_path(ends.sender)
    if ends.receiver is not None:
        checks += check_receiver(plan, ends.receiver)
    if isinstance(ends.receiver, RemoteEnd):
        checks.append(_clock(ends.receiver, wait))
    return (*checks, *check_restart(plan, ends.streams, "line-up test"))


def _clock(end: RemoteEnd, wait: Callable[[float], object]) -> Check:
    try:
        return check_clock(end.host_name, compare_clocks(end.second_there, wait), limit_s=CLOCKS_AGREE_S)
    except CannotRead as error:
        return Check(f"Clock of {end.host_name}", "the same time", str(error), "–", CheckVerdict.UNKNOWN)
