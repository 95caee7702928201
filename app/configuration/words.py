"""A plan as text: `mcr apply` prints it and the page shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from app.configuration.lined_yaml import Fault
from app.configuration.plan import Action, Step

_SIGNS: Final = {
    Action.ADD: "+",
    Action.CHANGE: "~",
    Action.START: ">",
    Action.STOP: "x",
    Action.REMOVE: "-",
    Action.KEEP: " ",
}


def plan_lines(steps: Sequence[Step]) -> list[str]:
    """Return a line for each stream that changes, the changed settings below it, and a summary."""
    return [*_changes(steps), summary(steps)]


def _changes(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        if step.action is Action.KEEP:
            continue
        yield f"{_SIGNS[step.action]} {step.action.value} {step.label}"
        for difference in step.differences:
            if step.action is Action.ADD:
                yield f"    {difference.field}: {difference.after}"
            else:
                yield f"    {difference.field}: {difference.before} → {difference.after}"


def summary(steps: Sequence[Step]) -> str:
    """Return the plan in one sentence, such as `1 to add, 2 to change, 5 unchanged.`"""
    counts = [(sum(step.action is action for step in steps), action) for action in Action]
    parts = [f"{count} to {action.value}" for count, action in counts if count and action is not Action.KEEP]
    unchanged = sum(step.action is Action.KEEP for step in steps)
    if not parts:
        return f"Nothing to change: {unchanged} {'stream is' if unchanged == 1 else 'streams are'} as the file asks."
    return ", ".join([*parts, f"{unchanged} unchanged"]) + "."


def place_of(fault: Fault) -> str:
    """Return the place of a fault, such as `line 12, streams.0.latency_ms`."""
    return f"line {fault.line}{f', {fault.path}' if fault.path else ''}"
