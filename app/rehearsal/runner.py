"""Starts, follows, cancels and stores rehearsals. A measurement continues after a restart of the web process."""

from __future__ import annotations

import contextlib
import logging
import threading
from pathlib import Path
from typing import Final

import msgspec

from app.domain.errors import LimitReached, NotFound, ProductError, StreamsDoNotAnswer
from app.domain.rehearsal.plan import RehearsalPlan
from app.domain.rehearsal.run import UNDER_WAY, Attempt, Rehearsal, RehearsalState, decode_rehearsal, encode_rehearsal
from app.domain.status import Phase
from app.machine.run_files import RunFiles, new_run_id
from app.machine.steady_clock import unix_now
from app.rehearsal.path import PathOrder, Streams, dismiss, free_port_pairs, send_spec, start_path
from app.rehearsal.reading import read_more
from app.supervisor.admission import is_rehearsal

log = logging.getLogger(__name__)
_READ_EVERY_S: Final = 1.0
_KEEP_EVERY_S: Final = 10.0
_DELIVERING_WITHIN_S: Final = 20.0
# libsrt measures the input rate, on which its cap depends, in the first seconds of a connection.
_SETTLING_S: Final = 5.0
_LAST_SECONDS_S: Final = 3.0  # the last second of a worker arrives up to this late
_CLOSE_WITHIN_S: Final = 2.0
_ACTOR: Final = "rehearsal"


class _CouldNotMeasure(Exception):
    """A rehearsal that cannot continue; the text says why."""


class RehearsalRunner:
    """All rehearsals of this installation, one at a time. Every method returns at once; a run has a thread."""

    def __init__(self, streams: Streams, folder: Path) -> None:
        """Read the rehearsals of earlier processes. Continue the one that measures, and end the streams of others."""
        self._streams = streams
        self._files = RunFiles(folder, "rehearsal-", encode=encode_rehearsal, decode=decode_rehearsal)
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._cancelled: set[str] = set()
        self._thread: threading.Thread | None = None
        self._runs = {run.id: run for run in self._files.read_all()}
        self._resume()

    def start(self, plan: RehearsalPlan, *, actor: str) -> Rehearsal:
        """Begin a rehearsal.

        Raises InvalidInput if the stream cannot be copied, LimitReached while another one runs.
        """
        spec = send_spec(self._streams, plan.stream)
        now = unix_now()
        run = Rehearsal(
            id=new_run_id(now),
            plan=plan,
            state=RehearsalState.STARTING,
            started_at=now,
            attempts=tuple(Attempt(latency_ms) for latency_ms in plan.latencies_ms),
            label=spec.label(),
            actor=actor,
        )
        with self._lock:
            if self._is_busy():
                raise LimitReached("a rehearsal is running; wait for it or cancel it")
            self._runs[run.id] = run
            self._thread = threading.Thread(
                target=self._carry_out, args=(run,), name=f"rehearsal {run.id}", daemon=True
            )
        self._keep(run)
        self._thread.start()
        return run

    def _is_busy(self) -> bool:
        """Whether a rehearsal runs, or its streams are being ended."""
        return self._thread is not None and (self._thread.ident is None or self._thread.is_alive())

    def runs(self) -> list[Rehearsal]:
        """Return every rehearsal, newest first."""
        with self._lock:
            return sorted(self._runs.values(), key=lambda run: run.started_at, reverse=True)

    def get(self, run_id: str) -> Rehearsal:
        """Return a rehearsal. Raises NotFound."""
        with self._lock:
            if run_id not in self._runs:
                raise NotFound(f"there is no rehearsal {run_id}")
            return self._runs[run_id]

    def cancel(self, run_id: str) -> Rehearsal:
        """End a rehearsal early and keep its measurements. One that is over stays unchanged. Raises NotFound."""
        run = self.get(run_id)
        if run.state in UNDER_WAY:
            self._cancelled.add(run_id)
        return run

    def remove(self, run_id: str) -> None:
        """Delete a rehearsal that is over. Raises NotFound and LimitReached."""
        if self.get(run_id).state in UNDER_WAY:
            raise LimitReached("this rehearsal is running; cancel it first")
        with self._lock:
            self._runs.pop(run_id, None)
        self._files.remove(run_id)

    def close(self) -> None:
        """End the thread; a rehearsal that measures continues in the next process."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(_CLOSE_WITHIN_S)

    def _resume(self) -> None:
        under_way = [run for run in self._runs.values() if run.state in UNDER_WAY]
        measuring = next((run for run in under_way if run.state is RehearsalState.MEASURING), None)
        for run in under_way:
            if run is not measuring:
                self._finish(run, RehearsalState.FAILED, "The program ended before the measurement began.")
        if measuring is not None:
            self._thread = threading.Thread(
                target=self._carry_out, args=(measuring,), name=f"rehearsal {measuring.id}", daemon=True
            )
        elif any(is_rehearsal(snapshot.key) for snapshot in self._streams.list()):
            self._thread = threading.Thread(target=self._sweep, name="rehearsal sweep", daemon=True)
        if self._thread is not None:
            self._thread.start()

    def _carry_out(self, run: Rehearsal) -> None:
        try:
            if run.state is RehearsalState.STARTING:
                run = self._start_paths(run)
            run = self._measure(run)
            if self._closed.is_set():
                self._keep(run)
                return
            self._sweep()
            self._finish(run, RehearsalState.CANCELLED if run.id in self._cancelled else RehearsalState.DONE)
        except (ProductError, _CouldNotMeasure) as error:
            self._sweep()
            is_cancelled = run.id in self._cancelled
            self._finish(run, RehearsalState.CANCELLED if is_cancelled else RehearsalState.FAILED, str(error))

    def _start_paths(self, run: Rehearsal) -> Rehearsal:
        spec = send_spec(self._streams, run.plan.stream)
        started: list[Attempt] = []
        for attempt, ports in zip(run.attempts, free_port_pairs(len(run.attempts)), strict=True):
            self._check_goes_on(run)
            name = f"Rehearsal {attempt.latency_ms} ms"
            order = PathOrder(spec, run.plan.impairment, attempt.latency_ms, ports, name)
            path = start_path(self._streams, order, actor=_ACTOR, for_rehearsal=True)
            started.append(Attempt(attempt.latency_ms, path.receiver.key, path.relay.key, path.sender.key))
        run = msgspec.structs.replace(run, attempts=tuple(started))
        self._wait_for_delivery(run)
        run = msgspec.structs.replace(run, state=RehearsalState.MEASURING, measured_from=unix_now() + _SETTLING_S)
        self._keep(run)
        return run

    def _wait_for_delivery(self, run: Rehearsal) -> None:
        until = unix_now() + _DELIVERING_WITHIN_S
        while waiting := [each for each in run.attempts if not self._delivers(each)]:
            self._check_goes_on(run)
            if unix_now() > until:
                latencies = ", ".join(str(each.latency_ms) for each in waiting)
                raise _CouldNotMeasure(f"Nothing arrived within {_DELIVERING_WITHIN_S:g} s at {latencies} ms.")
            self._closed.wait(_READ_EVERY_S / 4)

    def _delivers(self, attempt: Attempt) -> bool:
        return self._streams.get(attempt.receiver).status.phase is Phase.DELIVERING

    def _check_goes_on(self, run: Rehearsal) -> None:
        if self._closed.is_set() or run.id in self._cancelled:
            raise _CouldNotMeasure("It was cancelled before the measurement began.")

    def _measure(self, run: Rehearsal) -> Rehearsal:
        ends_at = run.ends_at() or unix_now()
        kept_at = unix_now()
        while not self._closed.is_set():
            is_last = unix_now() >= ends_at + _LAST_SECONDS_S or run.id in self._cancelled
            with contextlib.suppress(StreamsDoNotAnswer):  # the next reading has the missing seconds
                run = read_more(run, self._streams)
            self._show(run)
            if is_last:
                break
            if unix_now() - kept_at >= _KEEP_EVERY_S:
                self._keep(run)
                kept_at = unix_now()
            self._closed.wait(_READ_EVERY_S)
        return run

    def _sweep(self) -> None:
        """End every stream of rehearsals that are over, also those that an earlier process left."""
        for snapshot in reversed(self._streams.list()):
            if is_rehearsal(snapshot.key):
                dismiss(self._streams, snapshot.key, actor=_ACTOR)

    def _finish(self, run: Rehearsal, state: RehearsalState, problem: str = "") -> None:
        ends_at = run.ends_at()
        finished_at = unix_now() if ends_at is None else min(unix_now(), ends_at)
        self._keep(msgspec.structs.replace(run, state=state, finished_at=finished_at, problem=problem))

    def _show(self, run: Rehearsal) -> None:
        with self._lock:
            if run.id in self._runs:
                self._runs[run.id] = run

    def _keep(self, run: Rehearsal) -> None:
        """Store the rehearsal, then show it, so that a restart does not undo what was shown."""
        try:
            self._files.keep(run.id, run)
        except OSError as error:
            log.warning("the rehearsal %s cannot be stored: %s", run.id, error)
        self._show(run)
