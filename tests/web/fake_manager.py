"""A manager without workers: it fulfils app.web.services.Manager with streams made of plain values (fake_streams)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from app.domain.errors import CouldNotStart, LimitReached, NotFound, PortInUse
from app.domain.events import LogEntry
from app.domain.figures.debug import StreamDebug
from app.domain.figures.history import Second
from app.domain.figures.summaries import Summary, summaries
from app.domain.impairment.model import CutDirection, Impairment
from app.domain.secret import Secret
from app.domain.snapshot import Snapshot
from app.domain.spec import CallerEndpoint, JobSpec, ListenerEndpoint, RelaySpec
from app.domain.status import Order, Phase
from app.presets.book import Book
from tests.web.fake_streams import make_history, make_snapshot

ListOf = list  # FakeManager.list hides the builtin within the class
PORTS = tuple(range(10001, 10011))


class FakeDocuments:
    """The store of presets and far ends, in memory."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, str]] = {}

    def documents(self, table: Any) -> dict[str, str]:
        return dict(self.tables.get(table.__tablename__, {}))

    def save_documents(self, table: Any, kept: Mapping[str, str], removed: Collection[str]) -> None:
        found = self.tables.setdefault(table.__tablename__, {})
        found.update(kept)
        for key in removed:
            del found[key]


class FakeManager:
    """Streams in any requested state. Starting appends a waiting one; nothing runs."""

    def __init__(self, streams: list[Snapshot] | None = None) -> None:
        self.streams: dict[str, Any] = {snapshot.key: snapshot for snapshot in streams or []}
        self.started: list[Any] = []  # specs of every kind, looked into by tests
        self.changed: list[tuple[str, Any]] = []
        self.orders: list[tuple[str, str, str]] = []
        self.log: list[LogEntry] = []
        self.notes: list[str] = []
        self.store_fault: str | None = None
        self.documents = FakeDocuments()
        self._book = Book(self.documents, lambda _name, write: write())

    def book(self) -> Book:
        return self._book

    def start(self, spec: JobSpec, *, actor: str = "operator", for_rehearsal: bool = False) -> Snapshot:
        if isinstance(spec, RelaySpec):
            return self._add(spec, actor)
        listens = isinstance(spec.endpoint, ListenerEndpoint) and not for_rehearsal
        if listens and spec.endpoint.port not in self.free_ports():
            raise PortInUse("port is taken", {"endpoint.port": f"{spec.endpoint.port} is taken; choose another"})
        if isinstance(spec.endpoint, CallerEndpoint) and spec.endpoint.host == "no-such-host.invalid":
            raise CouldNotStart(
                "could not start: host not found", {"endpoint.host": "no address"}, reason="host_not_found"
            )
        if len(self.streams) >= 50:
            raise LimitReached("50 streams are on already")
        return self._add(spec, actor)

    def _add(self, spec: JobSpec, actor: str) -> Snapshot:
        key = f"new{len(self.streams):03d}"
        self.started.append(spec)
        self.orders.append(("start", key, actor))
        made = make_snapshot(key, spec, Phase.WAITING, since_s=1)
        self.streams[key] = made
        return made

    def add_off_air(self, spec: JobSpec, *, actor: str = "operator") -> Snapshot:
        snapshot = self._add(spec, actor)
        return self._order("stop", snapshot.key, actor, Phase.STOPPED)

    def stop(self, key: str, *, actor: str = "operator") -> Snapshot:
        return self._order("stop", key, actor, Phase.STOPPED)

    def restart(self, key: str, *, actor: str = "operator") -> Snapshot:
        return self._order("restart", key, actor, Phase.WAITING)

    dismissed: Snapshot | None = None

    def change(self, key: str, spec: JobSpec, *, actor: str = "operator") -> Snapshot:
        self.get(key)
        self.changed.append((key, spec))
        self.orders.append(("change", key, actor))
        made = make_snapshot(key, spec, Phase.WAITING, since_s=1)
        self.streams[key] = made
        return made

    def dismiss(self, key: str, *, actor: str = "operator") -> None:
        self.get(key)
        self.orders.append(("dismiss", key, actor))
        self.dismissed = self.streams.pop(key)

    def undo_dismiss(self, key: str, *, actor: str = "operator") -> Snapshot:
        if self.dismissed is None or self.dismissed.key != key:
            raise NotFound(f"no stream {key} was dismissed in the last 10 s")
        self.orders.append(("undo_dismiss", key, actor))
        self.streams[key] = self.dismissed
        return self.dismissed

    def list(self) -> list[Any]:
        return [*self.streams.values()]

    def deliveries(self, key: str, wanted_s: int) -> ListOf[Any]:
        self.get(key)
        return self.points

    points: list[Any] = []  # type: ignore[valid-type]  # noqa: RUF012 - a test sets its own
    pictures: dict[str, bytes] = {}  # noqa: RUF012 - a test fills its own

    def picture(self, key: str) -> bytes | None:
        self.get(key)
        return self.pictures.get(key)

    def reset(self, key: str, *, actor: str = "operator") -> Snapshot:
        snapshot: Snapshot = self.get(key)
        return snapshot

    def get(self, key: str) -> Any:
        if key not in self.streams:
            raise NotFound(f"there is no stream {key}")
        return self.streams[key]

    def summaries(self, key: str, start: float, end: float) -> ListOf[Summary]:
        return [one for one in summaries(self.history(key, 3600), 0, end) if one.at >= start]

    def impair(self, key: str, impairment: Impairment, *, actor: str = "operator") -> Snapshot:
        snapshot = self.get(key)
        self.orders.append(("impair", key, actor))
        spec = msgspec.structs.replace(snapshot.spec, impairment=impairment)
        made: Snapshot = msgspec.structs.replace(snapshot, spec=spec)
        self.streams[key] = made
        return made

    def cut(self, key: str, for_ms: float, direction: CutDirection = "both", *, actor: str = "operator") -> Snapshot:
        self.orders.append((f"cut {for_ms:g} {direction}", key, actor))
        snapshot: Snapshot = self.get(key)
        return snapshot

    def history(self, key: str, seconds: int, /) -> ListOf[Second]:
        return make_history(seconds, self.get(key))

    def debug(self, key: str) -> StreamDebug:
        return StreamDebug(self.get(key).detail, self.get(key).applied, None)

    def passphrase(self, key: str) -> Secret | None:
        encryption = self.get(key).spec.encryption
        return encryption.passphrase if encryption else None

    def events(self, *, key: str | None = None, limit: int = 200) -> ListOf[LogEntry]:
        return [entry for entry in self.log if key in (None, entry.key)][:limit]

    def note(self, text: str) -> None:
        self.notes.append(text)

    def free_ports(self) -> ListOf[int]:
        taken = {s.spec.local_port() for s in self.streams.values() if s.status.order is Order.RUN}
        return [port for port in PORTS if port not in taken]

    def runtime_problem(self) -> str | None:
        """Return no problem: no runtime folder is used."""
        return None

    def store_problem(self) -> str | None:
        return self.store_fault

    def detach(self) -> None:
        self.streams.clear()

    def shutdown(self) -> None:
        self.streams.clear()

    def _order(self, name: str, key: str, actor: str, phase: Phase) -> Snapshot:
        snapshot = self.get(key)
        self.orders.append((name, key, actor))
        made = make_snapshot(key, snapshot.spec, phase, since_s=0)
        self.streams[key] = made
        return made
