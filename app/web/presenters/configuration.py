"""The API's answer about a configuration file: the plan and its outcome."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from app.configuration.applying import Outcome
from app.configuration.plan import Action, Difference, Step
from app.configuration.words import plan_lines, summary


class StepView(msgspec.Struct, frozen=True):
    """A stream of the plan. `problem` says why it is unchanged; empty before and after success."""

    action: Action
    label: str
    key: str
    differences: tuple[Difference, ...]
    problem: str = ""


class ConfigurationView(msgspec.Struct, frozen=True):
    """The plan of a file. `is_applied` is false for a dry run; `text` is the plan in readable form."""

    is_applied: bool
    is_changing: bool
    summary: str
    text: str
    steps: list[StepView]


class ConfigurationOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file to compare or apply. `document` is its YAML; `secrets` maps `env:NAME` or `file:PATH` to a secret.

    `prune` removes the streams that the file does not have.
    """

    document: str
    secrets: dict[str, str] = {}
    dry_run: bool = False
    prune: bool = False


def present_configuration(outcomes: Sequence[Outcome], *, is_applied: bool) -> ConfigurationView:
    """Return the view of a plan and its outcomes."""
    steps: list[Step] = [outcome.step for outcome in outcomes]
    return ConfigurationView(
        is_applied=is_applied,
        is_changing=any(step.action is not Action.KEEP for step in steps),
        summary=summary(steps),
        text="\n".join(plan_lines(steps)),
        steps=[
            StepView(step.action, step.label, step.key, step.differences, outcome.problem)
            for outcome in outcomes
            for step in (outcome.step,)
        ],
    )
