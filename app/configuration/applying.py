"""Carries out a plan. Each stream is changed completely or not at all; a refused change does not delay the others."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, assert_never

import msgspec

from app.configuration.plan import Action, Step
from app.domain.errors import ProductError
from app.domain.snapshot import Snapshot
from app.domain.spec import JobSpec
from app.supervisor.admission import is_wanted

_AT_ONCE_MAX: Final = 50


class Outcome(msgspec.Struct, frozen=True):
    """The result of a step. `problem` is empty on success, otherwise it says why the stream is unchanged."""

    step: Step
    problem: str = ""


class Streams(Protocol):
    """The methods of the stream manager that applying a plan needs."""

    def start(self, spec: JobSpec, *, actor: str = ...) -> Snapshot:
        """Put a new stream on air."""

    def add_off_air(self, spec: JobSpec, *, actor: str = ...) -> Snapshot:
        """List a new stream without putting it on air."""

    def change(self, key: str, spec: JobSpec, *, actor: str = ...) -> Snapshot:
        """Give a stream another spec."""

    def restart(self, key: str, *, actor: str = ...) -> Snapshot:
        """Put a stream on air again."""

    def stop(self, key: str, *, actor: str = ...) -> Snapshot:
        """Take a stream off air."""

    def dismiss(self, key: str, *, actor: str = ...) -> None:
        """Take a stream off air and delete it."""


def apply_plan(steps: Sequence[Step], streams: Streams, *, actor: str) -> list[Outcome]:
    """Carry out the steps: first those that free ports, then the others, the steps of each group in parallel."""

    def carry_out(step: Step) -> Outcome:
        try:
            _carry_out(step, streams, actor)
        except ProductError as error:
            return Outcome(step, error.message)
        return Outcome(step)

    freeing = [step for step in steps if step.action in (Action.REMOVE, Action.STOP)]
    others = [step for step in steps if step.action not in (Action.REMOVE, Action.STOP)]
    # A stop waits for its worker: one after the other, fifty would take minutes.
    with ThreadPoolExecutor(_AT_ONCE_MAX) as pool:
        return [*pool.map(carry_out, freeing), *pool.map(carry_out, others)]


def _carry_out(step: Step, streams: Streams, actor: str) -> None:
    match step.action:
        case Action.KEEP:
            return
        case Action.REMOVE:
            streams.dismiss(step.key, actor=actor)
        case Action.STOP:
            streams.stop(step.key, actor=actor)
        case Action.START:
            streams.restart(step.key, actor=actor)
        case Action.ADD:
            _add(step, streams, actor)
        case Action.CHANGE:
            _change(step, streams, actor)
        case _:
            assert_never(step.action)


def _add(step: Step, streams: Streams, actor: str) -> None:
    if step.is_on_air:
        streams.start(step.spec, actor=actor)
    else:
        streams.add_off_air(step.spec, actor=actor)


def _change(step: Step, streams: Streams, actor: str) -> None:
    if not step.is_on_air:
        streams.stop(step.key, actor=actor)
    snapshot = streams.change(step.key, step.spec, actor=actor)
    if step.is_on_air and not is_wanted(snapshot.status):
        streams.restart(step.key, actor=actor)
