"""Temporary receive streams at the receiving end of a run, for the rate steps."""

from __future__ import annotations

from builtins import list as list_of
from typing import Annotated, Final, Protocol, TypeVar, assert_never
from urllib.parse import quote

import msgspec

from app.domain.errors import InvalidInput, NotFound, ProductError
from app.domain.hosts import HostEntry
from app.domain.lineup.plan import LocalReceiver, NotOurs, Plan, ProbeReceiver, RemoteReceiver
from app.domain.spec import CallerEndpoint, Endpoint, ListenerEndpoint, ReceiveSpec
from app.fleet.client import Garbled, NoAnswer, decode, request
from app.lineup.ends import CannotRead, ReceiverEnd, Streams
from app.lineup.receivers import Installations, LocalEnd
from app.lineup.remote_end import RemoteEnd

_WITHIN_S: Final = 8.0
_ACTOR: Final = "line-up test"
T = TypeVar("T")


class TemporaryReceivers(Protocol):
    """Makes receive streams at the receiving end. Every method raises CannotRead, with the reason in words."""

    def called_host(self) -> str:
        """Return the host that the receive stream under test calls; empty if it listens."""

    def free_port(self) -> int:
        """Return a free listener port at the receiving end."""

    def open(self, name: str, endpoint: Endpoint, latency_ms: int) -> tuple[str, ReceiverEnd]:
        """Start a receive stream. Return its key and its receiving end."""

    def close(self, key: str) -> None:
        """Delete a receive stream; it may already be gone."""

    def keys_named(self, name: str) -> list_of[str]:
        """Return the keys of the receive streams with that name, which an earlier process left."""


def receivers_at(plan: Plan, known: Installations) -> TemporaryReceivers | None:
    """Return the access to the plan's receiving end; None if that is not an installation of ours."""
    match plan.receiver:
        case LocalReceiver(key=key):
            return _Local(known.streams, key)
        case RemoteReceiver(host=name, key=key):
            entry = next((entry for entry in known.hosts if entry.name == name), None)
            return None if entry is None else _Remote(entry, key)
        case ProbeReceiver() | NotOurs():
            return None
        case _:
            assert_never(plan.receiver)


class _Local:
    """Temporary receive streams on this host."""

    def __init__(self, streams: Streams, key: str) -> None:
        self._streams, self._key = streams, key

    def called_host(self) -> str:
        try:
            spec = self._streams.get(self._key).spec
        except NotFound:
            raise CannotRead("the receive stream was removed") from None
        remote = spec.endpoint.remote() if isinstance(spec, ReceiveSpec) else None
        return "" if remote is None else remote.host

    def free_port(self) -> int:
        if not (ports := self._streams.free_ports()):
            raise CannotRead("this host has no free listener port; stop a stream")
        return ports[-1]

    def open(self, name: str, endpoint: Endpoint, latency_ms: int) -> tuple[str, ReceiverEnd]:
        try:
            key = self._streams.start(ReceiveSpec(endpoint, name=name, latency_ms=latency_ms), actor=_ACTOR).key
        except ProductError as error:
            words = "; ".join(error.fields.values()) if isinstance(error, InvalidInput) else error.message
            raise CannotRead(f"this host cannot start a receive stream: {words}") from None
        return key, LocalEnd(self._streams, key)

    def close(self, key: str) -> None:
        try:
            self._streams.dismiss(key, actor=_ACTOR)
        except NotFound:
            return

    def keys_named(self, name: str) -> list_of[str]:
        return [each.key for each in self._streams.list() if each.spec.name == name]


class _RemoteEndpoint(msgspec.Struct, frozen=True):
    host: str = ""


class _RemoteSpec(msgspec.Struct, frozen=True):
    name: str = ""
    endpoint: _RemoteEndpoint = _RemoteEndpoint()


class _RemoteStream(msgspec.Struct, frozen=True):
    key: str
    spec: _RemoteSpec = _RemoteSpec()


class _RemoteStreams(msgspec.Struct, frozen=True):
    streams: Annotated[list[_RemoteStream], msgspec.Meta(max_length=10_000)]


class _RemoteDashboard(msgspec.Struct, frozen=True):
    free_ports: list[int]


class _RemoteError(msgspec.Struct, frozen=True):
    message: str = ""
    fields: dict[str, str] = {}


class _RemoteRefusal(msgspec.Struct, frozen=True):
    error: _RemoteError = _RemoteError()


class _Remote:
    """Temporary receive streams on another installation."""

    def __init__(self, host: HostEntry, key: str) -> None:
        self._host, self._key = host, key

    def called_host(self) -> str:
        body = self._ask("GET", f"/api/streams/{quote(self._key, safe='')}")
        return self._decoded(body, _RemoteStream).spec.endpoint.host

    def free_port(self) -> int:
        if not (ports := self._decoded(self._ask("GET", "/api/dashboard"), _RemoteDashboard).free_ports):
            raise CannotRead(f"{self._host.name} has no free listener port; stop a stream there")
        return ports[-1]

    def open(self, name: str, endpoint: Endpoint, latency_ms: int) -> tuple[str, ReceiverEnd]:
        spec = ReceiveSpec(endpoint, name=name, latency_ms=latency_ms)
        key = self._decoded(self._ask("POST", "/api/streams", msgspec.json.encode(spec)), _RemoteStream).key
        return key, RemoteEnd(self._host, key)

    def close(self, key: str) -> None:
        self._ask("DELETE", f"/api/streams/{quote(key, safe='')}")

    def keys_named(self, name: str) -> list_of[str]:
        found = self._decoded(self._ask("GET", "/api/streams"), _RemoteStreams).streams
        return [each.key for each in found if each.spec.name == name]

    def _ask(self, method: str, path: str, document: bytes | None = None) -> bytes:
        try:
            status, body = request(self._host, method, path, document, within_s=_WITHIN_S)
        except NoAnswer as error:
            raise CannotRead(f"{self._host.name} does not answer ({error})") from None
        if status in (401, 403):
            raise CannotRead(f"{self._host.name} does not let the API key in HOSTS start streams")
        if status >= 400 and not (method == "DELETE" and status == 404):
            raise CannotRead(f"{self._host.name} refuses a temporary receive stream: {_words(status, body)}")
        return body

    def _decoded(self, body: bytes, kind: type[T]) -> T:
        try:
            return decode(body, kind)
        except Garbled as error:
            raise CannotRead(f"{self._host.name} does not answer as this version does: {error}") from None


def _words(status: int, body: bytes) -> str:
    try:
        error = msgspec.json.decode(body, type=_RemoteRefusal).error
    except msgspec.DecodeError:
        return f"it answers {status}"
    return "; ".join(error.fields.values()) or error.message or f"it answers {status}"


def temporary_endpoint(host: str, port: int) -> Endpoint:
    """Return an endpoint that listens on a port, or calls a host there."""
    return CallerEndpoint(host, port) if host else ListenerEndpoint(port)
