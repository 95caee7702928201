"""The relay as an engine of a worker: the loop in a thread, its figures, and its callers as peers."""

from __future__ import annotations

import os
import platform
import sys
import threading
from typing import Final

import msgspec

from app.domain.endings import CannotSend, Finished
from app.domain.events import NoticeCode, PeerChange
from app.domain.figures.debug import RelayDebug
from app.domain.figures.relay import DirectionFigures, RelayFigures
from app.domain.figures.sample import NOTHING_APPLIED, Applied, Input, Peer
from app.domain.impairment.link import Direction, ImpairedLink
from app.domain.impairment.model import CutDirection, Impairment
from app.domain.impairment.targets import parse_relay_targets
from app.domain.spec import RelaySpec
from app.domain.status import Reason
from app.engines.relay.callers import CALLERS_MAX, Caller
from app.engines.relay.loop import RelayLoop
from app.engines.relay.observer import RelayObserver
from app.engines.relay.sockets import SocketAddress, address_text, open_front
from app.engines.relay.target import find_target
from app.machine.steady_clock import unix_now
from app.protocol import Job, Notice, Notify, PeerEvent

# The sampling thread must not delay the relaying thread by Python's usual 5 ms.
_SWITCH_INTERVAL_S: Final = 0.0005


class RelayEngine:
    """Carries a relay job."""

    def __init__(self, job: Job, spec: RelaySpec, notify: Notify) -> None:
        self._job = job
        self._spec = spec
        self._notify = notify
        self._link = ImpairedLink(spec.impairment)
        self._loop: RelayLoop | None = None
        self._thread: threading.Thread | None = None
        self._ended_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def start(self) -> None:
        """Resolve the target and bind the port. Raises CannotSend."""
        allowed = parse_relay_targets(self._job.relay_targets)
        target = find_target(
            self._spec.target.host, self._spec.target.port, allowed, listen_port=self._spec.listen_port
        )
        try:
            front = open_front("", self._spec.listen_port)
        except OSError as error:
            raise CannotSend(Reason.PORT_IN_USE, str(error)) from None
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        self._loop = RelayLoop(front, target, self._link, _Teller(self._notify))
        self._thread = threading.Thread(target=self._run, args=(self._loop,), name="relay", daemon=True)
        self._thread.start()

    def _run(self, loop: RelayLoop) -> None:
        try:
            loop.run()
        finally:
            os.eventfd_write(self._ended_fd, 1)

    def poll(self) -> None:
        """Raise Finished if the loop has ended by itself."""
        if self._thread is not None and not self._thread.is_alive():
            raise Finished(Reason.ENGINE_ERROR, "the relay's loop ended; the worker's error output says why")

    def wake_fd(self) -> int:
        """Readable when the loop has ended."""
        return self._ended_fd

    def is_on_its_way(self) -> bool:
        """False: a relay waits for callers."""
        return False

    def read_peers(self) -> list[Peer]:
        """Return the callers. A relay cannot see what their SRT connections measure."""
        return [] if self._loop is None else [_peer(caller) for caller in self._loop.callers]

    def read_input(self) -> Input:
        """Return what came in from both sides."""
        return Input(bytes_total=sum(path.counters.bytes for path in self._link.paths.values()))

    def read_applied(self) -> Applied:
        """Return nothing: a relay applies no SRT settings."""
        return NOTHING_APPLIED

    def read_relay(self) -> RelayFigures:
        """Return the figures of each direction so far."""
        loop = self._loop
        return RelayFigures(
            to_target=self._direction("to_target"),
            to_caller=self._direction("to_caller"),
            callers=0 if loop is None else len(loop.callers),
            refused=0 if loop is None else loop.refused_total,
            strangers=0 if loop is None else loop.strangers_total,
            late=0 if loop is None else loop.late_total,
        )

    def _direction(self, direction: Direction) -> DirectionFigures:
        counters = msgspec.structs.asdict(self._link.paths[direction].counters)
        return DirectionFigures(**counters, queue_ms=0.0 if self._loop is None else self._loop.queue_ms(direction))

    def read_debug(self) -> RelayDebug:
        """Return the present impairment and the figures."""
        return RelayDebug(self._link.impairment, self.read_relay())

    def engine_name(self) -> str:
        """Return the Python version: the relay is the product's own code."""
        return f"relay, Python {platform.python_version()}"

    def impair(self, impairment: Impairment) -> None:
        """Change to another impairment without interruption."""
        if self._loop is not None:
            self._loop.order_change(impairment)

    def cut(self, direction: CutDirection, for_ms: float) -> None:
        """Block all datagrams for a time, from now on."""
        if self._loop is not None:
            self._loop.order_outage(direction, for_ms)

    def stop(self) -> None:
        """End the loop and close its sockets."""
        if self._loop is not None and self._thread is not None and self._thread.is_alive():
            self._loop.order_stop()
            self._thread.join(timeout=2)


def _peer(caller: Caller) -> Peer:
    sent = caller.bytes_to_target + caller.bytes_to_caller
    return Peer(
        id=caller.number,
        address=address_text(caller.address),
        connected_at=caller.came_at,
        payload_bytes_total=sent,
        wire_bytes_total=sent,
        rtt_ms=0.0,
        link_capacity_mbps=0.0,
    )


class _Teller(RelayObserver):
    """Reports events to the operator. An event that may happen a thousand times a second is reported once."""

    def __init__(self, notify: Notify) -> None:
        self._notify = notify
        self._noticed: set[NoticeCode] = set()

    def came(self, caller: Caller) -> None:
        self._notify(PeerEvent(unix_now(), PeerChange.CONNECTED, address_text(caller.address)))

    def left(self, caller: Caller) -> None:
        self._notify(PeerEvent(unix_now(), PeerChange.DISCONNECTED, address_text(caller.address)))

    def refused(self, address: SocketAddress) -> None:
        text = f"{CALLERS_MAX} callers are connected, the maximum; {address_text(address)} is not relayed"
        self._notice(NoticeCode.TOO_MANY_CALLERS, text)

    def stranger(self, address: SocketAddress) -> None:
        text = f"{address_text(address)} does not begin with an SRT handshake; it is not relayed"
        self._notice(NoticeCode.NOT_SRT, text)

    def no_way(self, error: OSError) -> None:
        self._notice(NoticeCode.NO_WAY_TO_TARGET, f"the target is unreachable: {error}")

    def not_sent(self, error: OSError) -> None:
        self._notice(NoticeCode.NOT_SENT_ON, f"a datagram could not be forwarded: {error}")

    def rebound(self, callers: int) -> None:
        self._notice(NoticeCode.REBOUND, f"NAT rebinding: {callers} callers have other source ports", again=True)

    def _notice(self, code: NoticeCode, text: str, *, again: bool = False) -> None:
        if again or code not in self._noticed:
            self._noticed.add(code)
            self._notify(Notice(unix_now(), code, text))
