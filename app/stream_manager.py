"""Manages streams for the pages and the API: start, stop, list, history, shutdown.

Checks what the spec cannot know (the file, the port, the limit); the supervisor carries orders out.
"""

from __future__ import annotations

from builtins import list as list_of
from collections.abc import Callable
from typing import Final

import msgspec

from app.domain.errors import InvalidInput, WrongState
from app.domain.events import LogEntry
from app.domain.figures.debug import StreamDebug
from app.domain.figures.delivery_history import HISTORY_SECONDS
from app.domain.figures.history import Second, seconds
from app.domain.figures.reception import DeliveryPoint
from app.domain.figures.summaries import Summary
from app.domain.impairment.model import CutDirection, Impairment
from app.domain.impairment.words import summary
from app.domain.secret import Secret
from app.domain.snapshot import Snapshot
from app.domain.spec import JobSpec
from app.domain.status import ALIVE, Order, Phase
from app.machine.steady_clock import unix_now
from app.machine.udp_ports import bound_ports
from app.media.patience import PatientLibrary
from app.presets.book import Book
from app.protocol import Cut, Impair
from app.settings import Settings
from app.store.history_file import HistoryFile
from app.store.recorder import Recorder
from app.store.spare import SpareOrders
from app.store.store import Store
from app.streams.form_faults import (
    check_passphrase,
    check_spec_is_known,
    is_form_fault,
    raise_cannot_start_again,
    raise_form_fault,
)
from app.streams.history_keeper import HistoryKeeper
from app.streams.jobs import JobMaker
from app.streams.relays import check_relay, mark_impaired, relay_spec
from app.streams.shared import Shared, mark_elsewhere
from app.streams.stored_form import is_same_stream, stored_form
from app.streams.takeover import Inheritance, Takeover
from app.supervisor.admission import Admission, is_wanted, listener_ports_of, new_key
from app.supervisor.journal import Journal
from app.supervisor.known import Known
from app.supervisor.launchers.base import Launcher
from app.supervisor.supervisor import Supervisor

_TRUTH_WITHIN_S: Final = 3.0
_STOP_WITHIN_S: Final = 6.0


class StreamManager:
    """All streams of this installation. Safe to use from many threads; no call waits longer than a few seconds."""

    def __init__(self, settings: Settings, launcher: Launcher, media: PatientLibrary, store: Store) -> None:
        """Take over the streams of an earlier process: adopt live workers, and start again what was ordered."""
        self._settings = settings
        self._store = store
        self._spare = SpareOrders(settings.runtime_folder, settings.secret_key)
        self._recorder = Recorder(store, self._spare)
        self._book = Book(store, self._recorder.order)
        self._jobs = JobMaker(settings, media)
        self._launcher = launcher
        inherited = Inheritance(store, self._spare)
        self._start_problem = inherited.problem
        self._unreadable = inherited.unreadable
        self._supervisor = Supervisor(
            launcher, self._recorder, journal=Journal(inherited.events), admission=Admission(settings.max_streams)
        )
        Takeover(launcher, self._supervisor, self._recorder, self._jobs, store).run(inherited)
        launcher.share(Shared(self._supervisor, self._recorder))
        self._history_file = HistoryFile(settings.data_folder / "history.sqlite3")
        self._keeper = HistoryKeeper(self._history_file, self._keys, lambda key: self.history(key, HISTORY_SECONDS))

    def _keys(self) -> list_of[str]:
        return [snapshot.key for snapshot in self.list()]

    def book(self) -> Book:
        """The presets and the address book of far ends."""
        return self._book

    def start(self, spec: JobSpec, *, actor: str = "operator", for_rehearsal: bool = False) -> Snapshot:
        """Put a stream on air and return its state within 3 s. MAX_STREAMS does not count those of rehearsals.

        Raises InvalidInput, PortInUse, LimitReached or CouldNotStart. Nothing of the stream remains then.
        """
        check_relay(spec, self.list(), self._settings.relay_targets)
        key = self._supervisor.add(self._jobs.job_for("", spec), actor=actor, for_rehearsal=for_rehearsal)
        self._launcher.order(self._supervisor.job(key))
        snapshot = self._settle(key, spec)
        if is_form_fault(snapshot.status):
            self._launcher.withdraw(key, for_good=True)
            self._supervisor.forget(key)
            raise_form_fault(snapshot)
        self._keep(snapshot)
        self._launcher.acknowledge(key)
        return snapshot

    def _keep(self, snapshot: Snapshot) -> None:
        """Store a stream's order. If its settings are not known, keep what the store has."""
        unreadable = self._unreadable.get(snapshot.key)
        if snapshot.is_spec_known:
            self._recorder.keep(stored_form(snapshot))
        elif unreadable is not None:
            self._recorder.keep(msgspec.structs.replace(stored_form(snapshot), unreadable=unreadable))

    def add_off_air(self, spec: JobSpec, *, actor: str = "operator") -> Snapshot:
        """List a new stream without putting it on air. Raises InvalidInput."""
        check_passphrase(spec)
        check_relay(spec, self.list(), self._settings.relay_targets)
        job = self._jobs.job_for(new_key(dict.fromkeys(self._keys())), spec)
        self._supervisor.resume(job, Known(Order.STOP, unix_now()))
        self._supervisor.note(job.key, f"added, off air, by {actor}")
        self._keep(self.get(job.key))
        return self.get(job.key)

    def stop(self, key: str, *, actor: str = "operator") -> Snapshot:
        """Take a stream off air and wait for it; it stays listed as stopped. Raises NotFound."""
        self._launcher.withdraw(key)
        self._supervisor.stop(key, actor=actor)
        self._keep(self.get(key))
        return self._wait_off_air(key)

    def _wait_off_air(self, key: str) -> Snapshot:
        return self._supervisor.wait_status(key, lambda status: status.phase not in ALIVE, _STOP_WITHIN_S)

    def restart(self, key: str, *, actor: str = "operator") -> Snapshot:
        """Put a stream on air again with its spec, stopping it first if it runs. Raises as `start`, and NotFound."""
        # Checked first, so that a stream that could not start again stays on air.
        check_spec_is_known(self.get(key))
        spec = self._supervisor.job(key).spec
        check_passphrase(spec)
        try:
            job = self._jobs.job_for(key, spec)
        except InvalidInput as fault:
            raise_cannot_start_again(fault, spec)
        check_relay(spec, [one for one in self.list() if one.key != key], self._settings.relay_targets)
        self._supervisor.check_start(key)
        if self.get(key).status.order is Order.RUN:
            # The store still has `run`: a loss of power in between must not leave the stream off air.
            self._launcher.withdraw(key)
            self._supervisor.stop(key, actor=actor)
            self._wait_off_air(key)
        self._supervisor.start(key, job, actor=actor)
        self._launcher.order(self._supervisor.job(key))
        snapshot = self._settle(key, spec)
        self._keep(snapshot)
        if is_form_fault(snapshot.status):
            raise_form_fault(snapshot)
        return snapshot

    def change(self, key: str, spec: JobSpec, *, actor: str = "operator") -> Snapshot:
        """Give a stream another spec under the same key. On air it restarts, unless only its name or group is new.

        Everything that can be checked is checked before the stream stops: a refused spec leaves the stream unchanged.
        Raises as `start`, and NotFound.
        """
        before = self.get(key)
        check_spec_is_known(before)
        check_passphrase(spec)
        job = self._jobs.job_for(key, spec)
        self._supervisor.change(key, job, actor=actor)
        snapshot = self.get(key)
        self._keep(snapshot)
        if snapshot.status.order is not Order.RUN or is_same_stream(before.spec, spec):
            return snapshot
        return self.restart(key, actor=actor)

    def dismiss(self, key: str, *, actor: str = "operator") -> None:
        """Stop a stream if it runs, and delete it; `undo_dismiss` brings it back for 10 s. Raises NotFound."""
        was_running = is_wanted(self.get(key).status)
        self.stop(key, actor=actor)
        self._supervisor.dismiss(key, actor=actor, was_running=was_running)
        self._launcher.withdraw(key, for_good=True)
        self._recorder.remove(key)

    def undo_dismiss(self, key: str, *, actor: str = "operator") -> Snapshot:
        """Bring back a stream that was dismissed in the last 10 s, on air if it was. Raises as `start`."""
        self._supervisor.restore(key, actor=actor)
        if self.get(key).status.order is Order.RUN:
            self._launcher.order(self._supervisor.job(key))
        snapshot = self._settle(key, self.get(key).spec)
        self._keep(snapshot)
        return snapshot

    def list(self) -> list_of[Snapshot]:
        """Return every stream, oldest first."""
        return mark_elsewhere(mark_impaired(self._supervisor.snapshots()), self._launcher)

    def get(self, key: str) -> Snapshot:
        """Return a stream. Raises NotFound."""
        found = next((snapshot for snapshot in self.list() if snapshot.key == key), None)
        return self._supervisor.snapshot(key) if found is None else found

    def impair(self, key: str, impairment: Impairment, *, actor: str = "operator") -> Snapshot:
        """Change a relay's impairment without interruption. Raises NotFound and WrongState."""
        spec = relay_spec(self._supervisor.job(key))
        job = self._supervisor.job(key)
        job = msgspec.structs.replace(job, spec=msgspec.structs.replace(spec, impairment=impairment))
        text = f"impairment changed: {summary(impairment)}"
        self._supervisor.order_worker(key, Impair(impairment), text, actor=actor, job=job)
        snapshot = self.get(key)
        self._keep(snapshot)
        return snapshot

    def cut(self, key: str, for_ms: float, direction: CutDirection = "both", *, actor: str = "operator") -> Snapshot:
        """Make an outage in a relay, beginning now. Raises NotFound and WrongState."""
        relay_spec(self._supervisor.job(key))
        if self.get(key).status.phase not in ALIVE:
            raise WrongState("the relay is not running; start it first")
        text = f"outage of {for_ms:g} ms ordered, {direction.replace('_', ' ')}"
        self._supervisor.order_worker(key, Cut(for_ms, direction), text, actor=actor)
        return self.get(key)

    def history(self, key: str, wanted_s: int) -> list_of[Second]:
        """Return the intervals of the stream's last `wanted_s` seconds, oldest first. Raises NotFound."""
        oldest = unix_now() - wanted_s
        return seconds([point for point in self._supervisor.history(key) if point.at >= oldest - 1])

    def deliveries(self, key: str, wanted_s: int) -> list_of[DeliveryPoint]:
        """Return a reception's last `wanted_s` seconds, oldest first; beyond an hour by the minute. Raises NotFound."""
        since = unix_now() - wanted_s
        if wanted_s > HISTORY_SECONDS:
            return self._supervisor.reception(key, lambda reception: reception.history.minutes(since))
        return self._supervisor.reception(key, lambda reception: reception.history.seconds(since))

    def picture(self, key: str) -> bytes | None:
        """Return the newest key frame of a receive stream as JPEG, None without one. Raises NotFound."""
        picture = self._supervisor.reception(key, lambda reception: reception.picture)
        return None if picture is None else picture.jpeg

    def reset(self, key: str, *, actor: str = "operator") -> Snapshot:
        """Count a reception from zero. Raises NotFound."""
        self._supervisor.reset(key, actor=actor)
        return self.get(key)

    def summaries(self, key: str, start: float, end: float) -> list_of[Summary]:
        """Return the ten-second summaries of the stream between two Unix times, oldest first. Raises NotFound."""
        self.get(key)
        return self._history_file.read(key, start, end)

    def debug(self, key: str) -> StreamDebug:
        """Return the worker's raw values and the stream's own state; nothing secret. Raises NotFound."""
        snapshot = self.get(key)
        values = self._supervisor.debug(key) if snapshot.worker_pid is not None else None
        return StreamDebug(snapshot.detail, snapshot.applied, values)

    def passphrase(self, key: str) -> Secret | None:
        """Return the stream's passphrase, for the far end's engineer. Raises NotFound."""
        return None if (kept := self._supervisor.job(key).spec.encryption) is None else kept.passphrase

    def events(self, *, key: str | None = None, limit: int = 200) -> list_of[LogEntry]:
        """Return the event log, newest first."""
        return self._supervisor.entries(key=key, limit=limit)

    def note(self, text: str) -> None:
        """Log a warning that is not about a single stream in the event log."""
        self._supervisor.note("", text)

    def free_ports(self) -> list_of[int]:
        """Return the listener ports that neither a stream of ours nor another program uses now."""
        taken = listener_ports_of(self.list()) | bound_ports()
        return [port for port in self._settings.listener_ports if port not in taken]

    def shutdown(self) -> None:
        """Take all streams off air that no cluster carries, and wait for that. The next start restores them."""
        self._end(self._supervisor.detach if self._launcher.outlasts_service else self._supervisor.close)

    def detach(self) -> None:
        """Release the workers and leave them on air, for the next process to adopt."""
        self._end(self._supervisor.detach)

    def _end(self, end_supervisor: Callable[[], None]) -> None:
        self._keeper.close()
        end_supervisor()
        self._recorder.close()
        self._store.close()

    def store_problem(self) -> str | None:
        """Why orders and events cannot be stored at present, None if they can. Never waits."""
        return self._recorder.problem() or self._start_problem

    def runtime_problem(self) -> str | None:
        """Why no worker could be started at present, None when no problem is known."""
        return self._launcher.problem()

    def _settle(self, key: str, spec: JobSpec) -> Snapshot:
        """Wait until the start is decided: a listener's port is bound, or a caller's far end has answered."""
        unsettled = {Phase.STARTING}
        if spec.is_call:
            unsettled.add(Phase.WAITING)
        return self._supervisor.wait_status(key, lambda status: status.phase not in unsettled, _TRUTH_WITHIN_S)
