"""Streams as the operator knows them: start, stop, list, history, shutdown.

Checks what the spec cannot know (the file, the port, the limit), then leaves the carrying out to the supervisor.
"""

from __future__ import annotations

import contextlib
import errno
import secrets
import socket
import threading
from builtins import list as list_of
from collections.abc import Collection
from typing import Any, Final, NoReturn

import msgspec

from app.domain.constants import BARS_BITRATE_BPS
from app.domain.errors import CouldNotStart, InvalidInput, LimitReached, NotFound, PortInUse
from app.domain.secret import Secret
from app.domain.spec import BarsSource, CallerEndpoint, FileSource, ListenerEndpoint, StreamSpec
from app.domain.stats import Second, seconds
from app.domain.status import ALIVE, NOT_RETRIABLE, Order, Phase, Reason, Status
from app.machine.steady_clock import unix_now
from app.media.library import MediaLibrary
from app.protocol import WorkerOrder
from app.settings import Settings
from app.store.recorder import Recorder
from app.store.spare import SpareOrders
from app.store.store import Store, StoredStream
from app.supervisor.journal import EVENTS_KEPT, Journal
from app.supervisor.launchers.base import Launcher, wait_dead
from app.supervisor.snapshot import LogEntry, Snapshot
from app.supervisor.stream import Known
from app.supervisor.supervisor import Supervisor

_TRUTH_WITHIN_S: Final = 3.0
_STOP_WITHIN_S: Final = 6.0
_STAGGER_S: Final = 0.25
_KEY_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # no letters that are read wrong over the phone
_KEY_LENGTH: Final = 6
WORKER_MEMORY_BYTES: Final = 256 * 1024 * 1024
# Faults of a first try that the operator mends in the form; the same faults of a later try are retried.
_FORM_FAULTS: Final = NOT_RETRIABLE | {Reason.PORT_IN_USE, Reason.HOST_NOT_FOUND, Reason.INTERFACE_MISSING}
_FIELD_OF_FAULT: Final = {
    Reason.PORT_IN_USE: "endpoint.port",
    Reason.HOST_NOT_FOUND: "endpoint.host",
    Reason.FILE_MISSING: "source.path",
    Reason.FILE_UNREADABLE: "source.path",
    Reason.NOT_A_TRANSPORT_STREAM: "source.path",
    Reason.NO_PCR: "source.path",
    Reason.INTERFACE_MISSING: "source.interface",
}


class StreamManager:
    """All streams of this installation. Safe to use from many threads; no call waits longer than some seconds."""

    def __init__(self, settings: Settings, launcher: Launcher, media: MediaLibrary, store: Store) -> None:
        """Take over what an earlier process left: live workers are adopted, ordered streams started again."""
        self._settings = settings
        self._media = media
        self._store = store
        self._spare = SpareOrders(settings.runtime_folder, settings.secret_key)
        self._recorder = Recorder(store, self._spare)
        self._supervisor = Supervisor(launcher, self._recorder, journal=Journal(store.events(EVENTS_KEPT)))
        self._starting = threading.Lock()
        self._resume(launcher)

    def _resume(self, launcher: Launcher) -> None:
        owed = self._spare.streams()
        known = _merged(self._store.streams(), owed)
        self._recorder.take_over(owed)
        for key in set(launcher.keys()) - {stream.key for stream in known}:
            _dispose(launcher, key)  # its order was never acknowledged, or was taken back
        for position, stream in enumerate(known):
            order, fault = self._stored_order(stream)
            start_at = unix_now() + position * _STAGGER_S
            self._supervisor.resume(order, Known(stream.order, stream.ordered_at, start_at, stream.status, fault))

    def _stored_order(self, stream: StoredStream) -> tuple[WorkerOrder, Reason | None]:
        """The order of a stored stream, and what forbids to start it."""
        try:
            order = self._order_for(stream.key, stream.spec)
        except InvalidInput:
            return self._bare_order(stream.key, stream.spec), Reason.FILE_MISSING
        return order, Reason.PASSPHRASE_LOST if stream.passphrase_lost else None

    def start(self, spec: StreamSpec, *, actor: str = "operator") -> Snapshot:
        """Put a stream on air and give what is true within 3 s.

        Raises InvalidInput, PortInUse, LimitReached or CouldNotStart; then nothing of it is left.
        """
        with self._starting:  # two starts must not both find the same port free
            self._check_limit(self.list())
            order = self._order_for(_new_key({s.key for s in self.list()}), spec)
            self._check_port(spec)
            self._supervisor.add(order, actor=actor)
        snapshot = self._settle(order.key, spec)
        if _is_form_fault(snapshot.status):
            self._supervisor.forget(order.key)
            _raise_form_fault(snapshot)
        self._recorder.keep(_stored(snapshot))
        return snapshot

    def stop(self, key: str, *, actor: str = "operator") -> Snapshot:
        """Take a stream off air and wait for it; it stays listed as stopped. Raises NotFound."""
        self._supervisor.stop(key, actor=actor)
        self._recorder.keep(_stored(self.get(key)))
        return self._wait_off_air(key)

    def _wait_off_air(self, key: str) -> Snapshot:
        return self._supervisor.wait_status(key, lambda status: status.phase not in ALIVE, _STOP_WITHIN_S)

    def restart(self, key: str, *, actor: str = "operator") -> Snapshot:
        """Put a stream on air again by its spec, stopping it first where it runs. Raises as `start`, and NotFound."""
        spec = self._supervisor.order(key).spec
        # First: what could not start again stays on air as it is.
        _check_passphrase(spec)
        order = self._order_for(key, spec)
        with self._starting:
            self._check_limit([snapshot for snapshot in self.list() if snapshot.key != key])
            if self.get(key).status.order is Order.RUN:
                # The store goes on saying `run`: a loss of power in between must not leave the stream off air.
                self._supervisor.stop(key, actor=actor)
                self._wait_off_air(key)
            self._check_port(spec, besides=key)
            self._supervisor.start(key, order, actor=actor)
        snapshot = self._settle(key, spec)
        self._recorder.keep(_stored(snapshot))
        if _is_form_fault(snapshot.status):
            _raise_form_fault(snapshot)
        return snapshot

    def dismiss(self, key: str, *, actor: str = "operator") -> None:
        """Stop a stream if it runs, and forget it. Raises NotFound."""
        self.stop(key, actor=actor)
        self._supervisor.forget(key, actor=actor)
        self._recorder.remove(key)

    def list(self) -> list_of[Snapshot]:
        """Every stream, oldest first."""
        return self._supervisor.snapshots()

    def get(self, key: str) -> Snapshot:
        """One stream. Raises NotFound."""
        return self._supervisor.snapshot(key)

    def history(self, key: str, wanted_s: int) -> list_of[Second]:
        """The stream's last `wanted_s` seconds, an interval each, oldest first. Raises NotFound."""
        oldest = unix_now() - wanted_s
        return seconds([point for point in self._supervisor.history(key) if point.at >= oldest - 1])

    def debug(self, key: str) -> dict[str, Any]:
        """The worker's raw view with the stream's own state; nothing secret. Raises NotFound."""
        snapshot = self.get(key)
        values = self._supervisor.debug(key) if snapshot.worker_pid is not None else None
        return {"detail": snapshot.detail, "applied": snapshot.applied, "worker": values}

    def passphrase(self, key: str) -> Secret | None:
        """The stream's passphrase, for the far end's engineer. Raises NotFound."""
        encryption = self._supervisor.order(key).spec.encryption
        return encryption.passphrase if encryption is not None else None

    def events(self, *, key: str | None = None, limit: int = 200) -> list_of[LogEntry]:
        """What happened, newest first."""
        return self._supervisor.entries(key=key, limit=limit)

    def free_ports(self) -> list_of[int]:
        """The listener ports that neither a stream of ours nor another program holds now."""
        taken = _listener_ports_of(self.list())
        return [port for port in self._settings.listener_ports if port not in taken and not _is_bound(port)]

    def shutdown(self) -> None:
        """Take everything off air, in order, and wait for it. The orders stay: the next start brings them back."""
        self._supervisor.close()
        self._recorder.close()
        self._store.close()

    def detach(self) -> None:
        """Let go of the workers and leave them on air, for the next process to adopt."""
        self._supervisor.detach()
        self._recorder.close()
        self._store.close()

    def store_problem(self) -> str | None:
        """Why orders and events cannot be kept at present, None when they can. Never waits."""
        return self._recorder.problem()

    def _order_for(self, key: str, spec: StreamSpec) -> WorkerOrder:
        order = self._bare_order(key, spec)
        if isinstance(spec.source, BarsSource):
            return msgspec.structs.replace(order, bitrate_bps=BARS_BITRATE_BPS, is_constant_bitrate=True)
        if not isinstance(spec.source, FileSource):
            return order
        check = self._media.check(spec.source.path)
        path = self._media.resolve(spec.source.path)
        return msgspec.structs.replace(
            order,
            file_path=str(path),
            bitrate_bps=check.bitrate_bps,
            is_constant_bitrate=check.is_constant_bitrate,
        )

    def _bare_order(self, key: str, spec: StreamSpec) -> WorkerOrder:
        return WorkerOrder(
            key=key,
            spec=spec,
            socket_path="",
            dscp=self._settings.qos_dscp,
            memory_bytes=WORKER_MEMORY_BYTES,
        )

    def _check_limit(self, others: Collection[Snapshot]) -> None:
        running = [snapshot for snapshot in others if _is_wanted(snapshot.status)]
        if len(running) >= self._settings.max_streams:
            raise LimitReached(f"{len(running)} streams are on already, the most allowed; stop one first")

    def _check_port(self, spec: StreamSpec, *, besides: str | None = None) -> None:
        if not isinstance(spec.endpoint, ListenerEndpoint):
            return
        port = spec.endpoint.port
        others = [snapshot for snapshot in self.list() if snapshot.key != besides]
        if port in _listener_ports_of(others):
            raise _port_in_use(port, "another stream holds it")
        if _is_bound(port):
            raise _port_in_use(port, "another program holds it")

    def _settle(self, key: str, spec: StreamSpec) -> Snapshot:
        """Wait for the truth: a listener has it once its port is bound, a caller once the far end has answered."""
        unsettled = {Phase.STARTING}
        if isinstance(spec.endpoint, CallerEndpoint):
            unsettled.add(Phase.WAITING)
        return self._supervisor.wait_status(key, lambda status: status.phase not in unsettled, _TRUTH_WITHIN_S)


def _stored(snapshot: Snapshot) -> StoredStream:
    status = snapshot.status
    return StoredStream(snapshot.key, snapshot.spec, status.order, snapshot.ordered_at, status)


def _merged(kept: Collection[StoredStream], owed: Collection[StoredStream]) -> list_of[StoredStream]:
    """The streams with the newer orders that the store has not taken yet, oldest order first."""
    by_key = {stream.key: stream for stream in (*kept, *owed)}
    return sorted(by_key.values(), key=lambda stream: (stream.ordered_at, stream.key))


def _dispose(launcher: Launcher, key: str) -> None:
    worker = launcher.adopt(key)
    if worker is not None:
        worker.terminate()
        for left in wait_dead([worker], _STOP_WITHIN_S):
            left.kill()
    launcher.discard(key)


def _listener_ports_of(snapshots: Collection[Snapshot]) -> set[int]:
    return {
        snapshot.spec.endpoint.port
        for snapshot in snapshots
        if isinstance(snapshot.spec.endpoint, ListenerEndpoint) and _is_wanted(snapshot.status)
    }


def _is_wanted(status: Status) -> bool:
    """Whether the stream has a worker or will have one by itself; one that failed waits for the operator."""
    return status.order is Order.RUN and status.phase is not Phase.FAILED


def _check_passphrase(spec: StreamSpec) -> None:
    """Refuse a stored stream whose passphrase could not be read: it would go on air in the clear."""
    if spec.encryption is not None and spec.encryption.passphrase.size_bytes() == 0:
        raise CouldNotStart(
            "SECRET_KEY was changed: the stored passphrase cannot be read, start the stream anew with its passphrase",
            {"encryption.passphrase": "give it again, in a new stream"},
            reason=Reason.PASSPHRASE_LOST,
        )


def _is_bound(port: int) -> bool:
    """Whether a program holds the UDP port on any address."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.bind(("", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _port_in_use(port: int, who: str) -> PortInUse:
    return PortInUse(
        f"port {port} is taken: {who}", {"endpoint.port": f"{port} is taken: {who}; choose another or stop it"}
    )


def _is_form_fault(status: Status) -> bool:
    return status.reason in _FORM_FAULTS and status.phase in (Phase.FAILED, Phase.BACKING_OFF)


def _raise_form_fault(snapshot: Snapshot) -> NoReturn:
    reason = snapshot.status.reason
    if reason is None:
        raise NotFound(snapshot.key)
    message = f"could not start: {reason.replace('_', ' ')}"
    field = _FIELD_OF_FAULT.get(reason)
    fields = {field: message} if field else {}
    if reason is Reason.PORT_IN_USE:
        raise PortInUse(message, fields)
    if reason in (Reason.NOT_A_TRANSPORT_STREAM, Reason.NO_PCR):
        raise InvalidInput(message, fields)
    raise CouldNotStart(message, fields, reason=reason)


def _new_key(taken: Collection[str]) -> str:
    while True:
        key = "".join(secrets.choice(_KEY_LETTERS) for _ in range(_KEY_LENGTH))
        if key not in taken:
            return key
