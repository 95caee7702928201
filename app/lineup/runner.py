"""Starts, follows, cancels and remembers line-up tests. A run continues after a restart of the web process."""

from __future__ import annotations

import contextlib
import logging
import threading
from pathlib import Path
from typing import Final

import msgspec

from app.domain.errors import InvalidInput, LimitReached, NotFound, ProductError, StreamsDoNotAnswer
from app.domain.lineup.content import Content
from app.domain.lineup.margin import Margin
from app.domain.lineup.measured import Measured
from app.domain.lineup.plan import NotOurs, Plan
from app.domain.lineup.run import RUNNING, Facts, Run, RunEvent, RunState, decode_run, encode_run
from app.domain.snapshot import Snapshot
from app.domain.version import VERSION
from app.lineup.configuration import Ends, check_configuration
from app.lineup.ends import CannotRead, ReceiverEnd, sender_check
from app.lineup.margin import Rehearsals, begin_margin, read_margin
from app.lineup.probe_end import ProbeEnd
from app.lineup.rate_steps import RateSteps
from app.lineup.reading import read_more
from app.lineup.receivers import Installations, LocalEnd, receiver_end
from app.lineup.webhook import send_notice
from app.machine.run_files import RunFiles, new_run_id
from app.machine.steady_clock import unix_now
from app.probes.run import CancelSwitch

log = logging.getLogger(__name__)
_READ_EVERY_S: Final = 2.0
_KEEP_EVERY_S: Final = 10.0
_FIGURES_WITHIN_S: Final = 5.0
_CLOSE_WITHIN_S: Final = 2.0
_LAST_SECONDS_S: Final = 3.0  # the last second of a worker arrives up to this late


class LineUpRunner:
    """All line-up tests of this installation. Every method returns at once; each run has a thread."""

    def __init__(
        self, known: Installations, rehearsals: Rehearsals, folder: Path, *, hostname: str, webhook: str = ""
    ) -> None:
        """Read the runs of earlier processes, and continue those that are not over."""
        self._known = known
        self._rehearsals = rehearsals
        self._streams = known.streams
        self._archive = RunFiles(folder, "line_up-", encode=encode_run, decode=decode_run)
        self._hostname = hostname
        self._webhook = webhook
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []
        self._cancelled: set[str] = set()
        self._switches: dict[str, CancelSwitch] = {}
        self._runs = {run.id: run for run in self._archive.read_all()}
        for run in list(self._runs.values()):
            if run.state in RUNNING:
                self._follow(run)

    def start(self, plan: Plan, *, actor: str) -> Run:
        """Begin a run. Raises InvalidInput if an end does not exist, LimitReached while an end is being tested."""
        sender = sender_check(plan, self._streams)
        end = receiver_end(plan, self._known)
        receiver = end.check() if isinstance(end, LocalEnd | ProbeEnd) else ""
        now = unix_now()
        facts = Facts(
            hostname=self._hostname,
            version=VERSION,
            stream=sender.spec.label() if sender is not None else "",
            receiver=receiver,
        )
        run = Run(
            id=new_run_id(now),
            plan=plan,
            state=RunState.CONFIGURATION,
            started_at=now,
            actor=actor,
            facts=facts,
        )
        if isinstance(end, ProbeEnd):
            run = _of_probe(run, end)
        with self._lock:
            for other in self._runs.values():
                if other.state in RUNNING and _share_an_end(other.plan, plan):
                    raise LimitReached("a line-up test of this stream is running; wait for it or cancel it")
            self._runs[run.id] = run
        self._keep(run)
        self._follow(run)
        return run

    def runs(self) -> list[Run]:
        """Return every run, newest first."""
        with self._lock:
            return sorted(self._runs.values(), key=lambda run: run.started_at, reverse=True)

    def get(self, run_id: str) -> Run:
        """Return a run. Raises NotFound."""
        with self._lock:
            if run_id not in self._runs:
                raise NotFound(f"there is no line-up test {run_id}")
            return self._runs[run_id]

    def last_before(self, run: Run) -> Run | None:
        """Return the newest earlier run of the same far end that has a verdict, None if there is none."""
        if not run.plan.far_end:
            return None
        earlier = (
            other
            for other in self.runs()
            if other.started_at < run.started_at and other.state is RunState.DONE and other.conclusion is not None
        )
        return next((other for other in earlier if other.plan.far_end == run.plan.far_end), None)

    def cancel(self, run_id: str) -> Run:
        """End a run early and keep its measurements. A run that is over stays unchanged. Raises NotFound."""
        run = self.get(run_id)
        if run.state in RUNNING:
            self._cancelled.add(run_id)
            self._switch(run_id).throw()
        return run

    def remove(self, run_id: str) -> None:
        """Delete a run that is over. Raises NotFound and LimitReached."""
        if self.get(run_id).state in RUNNING:
            raise LimitReached("this line-up test is running; cancel it first")
        with self._lock:
            self._runs.pop(run_id, None)
        self._archive.remove(run_id)

    def close(self) -> None:
        """End the threads. Runs continue in the next process."""
        self._closed.set()
        for switch in list(self._switches.values()):
            switch.throw()
        for thread in self._threads:
            thread.join(_CLOSE_WITHIN_S)

    def _follow(self, run: Run) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=self._carry_out, args=(run,), name=f"line-up {run.id}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _carry_out(self, run: Run) -> None:
        try:
            if run.state is not RunState.MARGIN:
                run = self._test_line(run)
            is_cut_short = run.state is not RunState.MARGIN and run.id in self._cancelled
            if run.plan.margin and not is_cut_short:
                run = self._test_margin(run)
            if self._closed.is_set():
                self._keep(run)
                return
            self._finish(run, RunState.CANCELLED if is_cut_short else RunState.DONE)
        except (InvalidInput, CannotRead) as error:
            words = error.fields if isinstance(error, InvalidInput) else {}
            self._finish(run, RunState.FAILED, problem="; ".join(words.values()) or str(error))
        except ProductError as error:
            self._finish(run, RunState.FAILED, problem=error.message)

    def _test_line(self, run: Run) -> Run:
        """Run the configuration test and the performance test."""
        end = receiver_end(run.plan, self._known)
        if run.state is RunState.CONFIGURATION:
            run = self._configure(run, end)
        return self._measure(run, end)

    def _test_margin(self, run: Run) -> Run:
        """Run the margin test. A restart of this program does not end it. A cancelled margin test has no result."""
        if self._closed.is_set():
            return run
        margin = run.measured.margin
        if margin is None:
            margin = begin_margin(run, self._streams, self._rehearsals)
        run = _with_margin(run, margin)
        self._keep(run)
        while not margin.is_over() and not self._closed.is_set():
            if run.id in self._cancelled:
                with contextlib.suppress(NotFound):
                    self._rehearsals.cancel(margin.rehearsal)
            margin = read_margin(margin, self._rehearsals)
            run = _with_margin(run, margin)
            self._show(run)
            if not margin.is_over():
                self._closed.wait(_READ_EVERY_S)
        return run

    def _configure(self, run: Run, end: ReceiverEnd | None) -> Run:
        if end is not None:
            run = msgspec.structs.replace(run, facts=msgspec.structs.replace(run.facts, receiver=end.check()))
        steps = RateSteps(run.id, run.plan, self._known, self._switch(run.id)).check()
        if self._closed.is_set():
            return run
        sender = self._sender_with_figures(run.plan)
        checks = steps + check_configuration(run.plan, Ends(self._streams, sender, end), self._closed.wait)
        baseline = (end.indicators() if end is not None else None) or ()
        run = msgspec.structs.replace(
            run,
            state=RunState.PERFORMANCE,
            performance_at=unix_now(),
            baseline=baseline,
            content_before=end.content() if end is not None else Content(),
            measured=msgspec.structs.replace(run.measured, checks=checks),
        )
        self._keep(run)
        return run

    def _switch(self, run_id: str) -> CancelSwitch:
        """Return what ends the programs of a run."""
        with self._lock:
            return self._switches.setdefault(run_id, CancelSwitch())

    def _sender_with_figures(self, plan: Plan) -> Snapshot | None:
        """Return the stream under test. After a restart of this program, its first figures take a second."""
        until = unix_now() + _FIGURES_WITHIN_S
        while (sender := sender_check(plan, self._streams)) is not None and unix_now() < until:
            if sender.sample is not None and sender.sample.peers:
                break
            self._closed.wait(_READ_EVERY_S / 10)
        return sender

    def _measure(self, run: Run, end: ReceiverEnd | None) -> Run:
        ends_at = run.ends_at() or unix_now()
        kept_at = unix_now()
        while not self._closed.is_set():
            is_last = unix_now() >= ends_at + _LAST_SECONDS_S or run.id in self._cancelled
            try:
                run = read_more(run, self._streams, end)
            except (CannotRead, StreamsDoNotAnswer) as error:
                run = _noted(run, str(error))
            self._show(run.judged())
            if is_last:
                break
            if unix_now() - kept_at >= _KEEP_EVERY_S:
                self._keep(run)
                kept_at = unix_now()
            # One reading lies at the end: the receive stream goes on counting after it.
            left_s = ends_at - unix_now()
            self._closed.wait(left_s if 0 < left_s < _READ_EVERY_S else _READ_EVERY_S)
        return run

    def _finish(self, run: Run, state: RunState, problem: str = "") -> None:
        finished_at = min(unix_now(), run.ends_at() or unix_now())
        run = msgspec.structs.replace(run, state=state, finished_at=finished_at, problem=problem)
        run = run.judged() if run.performance_at is not None else run
        self._keep(run)
        self._switches.pop(run.id, None)
        if self._webhook and (refusal := send_notice(self._webhook, run, self._closed)):
            self._streams.note(f"the verdict of the line-up test {run.id} did not reach LINE_UP_WEBHOOK: {refusal}")

    def _show(self, run: Run) -> None:
        with self._lock:
            if run.id in self._runs:
                self._runs[run.id] = run

    def _keep(self, run: Run) -> None:
        """Store the run, then show it, so that a restart does not undo what was shown."""
        try:
            self._archive.keep(run.id, run)
        except OSError as error:
            log.warning("the line-up test %s cannot be stored: %s", run.id, error)
            run = msgspec.structs.replace(run, problem=run.problem or f"The report could not be stored: {error}")
        self._show(run)


def _of_probe(run: Run, end: ProbeEnd) -> Run:
    """Return the run for the time of a probe, whose configuration can no longer be tested."""
    return msgspec.structs.replace(
        run,
        plan=msgspec.structs.replace(run.plan, duration_s=end.duration_s),
        state=RunState.PERFORMANCE,
        started_at=end.begins_at,
        performance_at=end.begins_at,
        measured=Measured(checks=tuple(end.checks())),
    )


def _with_margin(run: Run, margin: Margin) -> Run:
    """Return the run with its margin test begun."""
    measured = msgspec.structs.replace(run.measured, margin=margin)
    return msgspec.structs.replace(run, state=RunState.MARGIN, measured=measured).judged()


def _share_an_end(one: Plan, other: Plan) -> bool:
    return (one.stream is not None and one.stream == other.stream) or (
        one.receiver == other.receiver and not isinstance(one.receiver, NotOurs)
    )


def _noted(run: Run, text: str) -> Run:
    """Return the run with an event added, unless its last event has the same text."""
    if run.events and run.events[-1].text == text:
        return run
    return msgspec.structs.replace(run, events=(*run.events, RunEvent(unix_now(), text)))
