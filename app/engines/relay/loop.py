"""The relay's socket loop: receives datagrams, asks the schedule, and sends each one when it is due.

It has its own thread. Other threads order changes with `order_*`; they take effect within a millisecond or two.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import queue
import select
import socket
import time
from collections.abc import Callable
from typing import Final, Literal

from app.domain.impairment.link import Direction, ImpairedLink
from app.domain.impairment.model import Impairment
from app.engines.relay.callers import Caller, Callers
from app.engines.relay.observer import RelayObserver
from app.engines.relay.sockets import ANCILLARY_BYTES, BIGGEST_DATAGRAM, ArrivalClock, SocketAddress, is_handshake

# While datagrams wait, the loop looks at the sockets once a millisecond: arrivals have the kernel's time, so gathering
# them costs no accuracy, and waking for each one would cost several times the processor.
_TICK_S: Final = 0.001
_QUEUE_BYTES_MAX: Final = 64 * 1024 * 1024
# Limits per turn, received from one socket and sent: no caller delays others, no backlog delays arrivals.
_DATAGRAMS_A_TURN: Final = 512
_LOOK_AROUND_NS: Final = 1_000_000_000
LATE_NS: Final = 3_000_000


class RelayLoop:
    """Relays between the callers of `front` and a target until it is stopped."""

    def __init__(
        self,
        front: socket.socket,
        target: tuple[int, SocketAddress],
        link: ImpairedLink,
        observer: RelayObserver,
        *,
        srt_only: bool = True,
    ) -> None:
        """`target` is an address family and an address. With `srt_only`, a caller must begin with an SRT handshake."""
        self.link = link
        self.callers = Callers(*target)
        self.refused_total = 0
        self.strangers_total = 0
        self.late_total = 0
        self._front = front
        self._observer = observer
        self._srt_only = srt_only
        self._clock = ArrivalClock()
        self._now_ns = self._clock.now_ns()
        self._buffer = bytearray(BIGGEST_DATAGRAM)
        self._view = memoryview(self._buffer)
        self._queue: list[tuple[int, int, bytes, Caller, Direction]] = []
        self._queued_bytes = 0
        self._order = 0
        self._orders: queue.SimpleQueue[Callable[[int], None]] = queue.SimpleQueue()
        self._is_stopping = False
        self._looked_around_ns = 0
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll = select.epoll()
        self._epoll.register(self._wake_fd, select.EPOLLIN)
        self._epoll.register(front, select.EPOLLIN)

    def queue_ms(self, direction: Direction) -> float:
        """Return how long a datagram waits before the rate limit of a direction at present."""
        return self.link.paths[direction].queue_ms(self._clock.now_ns())

    # ---- orders, from any thread ----

    def order_change(self, impairment: Impairment) -> None:
        """Change to another impairment without interruption."""
        self._order_up(lambda now_ns: self.link.change(impairment, now_ns))

    def order_outage(self, direction: Direction | Literal["both"], for_ms: float) -> None:
        """Block all datagrams for a time, from now on."""
        self._order_up(lambda now_ns: self.link.cut(direction, now_ns, for_ms))

    def order_stop(self) -> None:
        """End `run`."""
        self._order_up(lambda _: self._stop())

    def _order_up(self, order: Callable[[int], None]) -> None:
        self._orders.put(order)
        os.eventfd_write(self._wake_fd, 1)

    def _stop(self) -> None:
        self._is_stopping = True

    # ---- the loop ----

    def run(self) -> None:
        """Relay until a stop is ordered, then close all sockets."""
        try:
            while not self._is_stopping:
                self._wait()
                self._now_ns = self._clock.now_ns()
                for descriptor, _ in self._epoll.poll(0):
                    self._serve(descriptor)
                self._send_due()
                self._look_around()
        finally:
            self._close()

    def _wait(self) -> None:
        if not self._queue:
            select.select([self._epoll.fileno()], [], [], _LOOK_AROUND_NS / 1e9)
            return
        due_in_s = (self._queue[0][0] - self._clock.now_ns()) / 1e9
        if due_in_s > 0:
            time.sleep(min(due_in_s, _TICK_S))

    def _serve(self, descriptor: int) -> None:
        if descriptor == self._wake_fd:
            self._obey()
        elif descriptor == self._front.fileno():
            self._take_from_callers()
        elif (caller := self.callers.of_socket(descriptor)) is not None:
            self._take_from_target(caller)

    def _obey(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake_fd)
        with contextlib.suppress(queue.Empty):
            while True:
                self._orders.get_nowait()(self._now_ns)

    def _take_from_callers(self) -> None:
        for _ in range(_DATAGRAMS_A_TURN):
            try:
                size, ancillary, _, address = self._front.recvmsg_into([self._buffer], ANCILLARY_BYTES)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP answer to an earlier datagram
            arrived_ns = self._clock.arrived_ns(ancillary, self._clock.now_ns())
            caller = self.callers.find(address) or self._let_in(address, size)
            if caller is not None:
                self._schedule("to_target", caller, size, arrived_ns)

    def _take_from_target(self, caller: Caller) -> None:
        for _ in range(_DATAGRAMS_A_TURN):
            try:
                size, ancillary, _, _ = caller.back.recvmsg_into([self._buffer], ANCILLARY_BYTES)
            except BlockingIOError:
                return
            except OSError:
                continue  # no one listens at the target (yet)
            self._schedule("to_caller", caller, size, self._clock.arrived_ns(ancillary, self._clock.now_ns()))

    def _let_in(self, address: SocketAddress, size: int) -> Caller | None:
        if self._srt_only and not is_handshake(self._view[:size]):
            self.strangers_total += 1
            self._observer.stranger(address)
            return None
        if self.callers.is_full():
            self.refused_total += 1
            self._observer.refused(address)
            return None
        try:
            caller = self.callers.add(address, self._now_ns)
        except OSError as error:
            self._observer.no_way(error)
            return None
        self._epoll.register(caller.back, select.EPOLLIN)
        self._observer.came(caller)
        return caller

    def _schedule(self, direction: Direction, caller: Caller, size: int, arrived_ns: int) -> None:
        caller.heard_ns = self._now_ns
        times_ns = self.link.decide(direction, size, arrived_ns)
        self._observer.datagram(direction, self._view[:size], arrived_ns, len(times_ns))
        if not times_ns:
            return
        if self._queued_bytes > _QUEUE_BYTES_MAX:
            counters = self.link.paths[direction].counters
            counters.queue_full += 1
            counters.lost += 1
            return
        datagram = bytes(self._view[:size])
        for leaves_ns in times_ns:
            self._order += 1
            self._queued_bytes += size
            heapq.heappush(self._queue, (leaves_ns, self._order, datagram, caller, direction))

    def _send_due(self) -> None:
        for _ in range(_DATAGRAMS_A_TURN):
            # Read the time for each datagram: sending a backlog of a busy machine takes milliseconds.
            now_ns = self._clock.now_ns()
            if not self._queue or self._queue[0][0] > now_ns:
                return
            due_ns, _, datagram, caller, direction = heapq.heappop(self._queue)
            self._queued_bytes -= len(datagram)
            if now_ns - due_ns > LATE_NS:
                self.late_total += 1
                self._observer.late(now_ns - due_ns)
            self._send(direction, caller, datagram)

    def _send(self, direction: Direction, caller: Caller, datagram: bytes) -> None:
        for _ in range(2):  # the first try reports the ICMP answer to an earlier datagram
            try:
                if direction == "to_target":
                    caller.back.send(datagram)
                    caller.bytes_to_target += len(datagram)
                else:
                    self._front.sendto(datagram, caller.address)
                    caller.bytes_to_caller += len(datagram)
            except ConnectionRefusedError:
                continue
            except (
                OSError
            ) as error:  # the caller left, the route is gone, or the datagram is too large for the interface
                self._observer.not_sent(error)
            return

    def _look_around(self) -> None:
        now_ns = self._now_ns
        if self.link.is_rebinding_due(now_ns):
            self._rebind()
        if now_ns - self._looked_around_ns < _LOOK_AROUND_NS:
            return
        self._looked_around_ns = now_ns
        self._clock.check_for_step()
        for caller in self.callers.silent(now_ns):
            self._epoll.unregister(caller.back)
            self.callers.remove(caller)
            self._observer.left(caller)

    def _rebind(self) -> None:
        for caller in self.callers:
            self._epoll.unregister(caller.back)
            try:
                self.callers.rebind(caller)
            except OSError as error:
                self._observer.no_way(error)
            self._epoll.register(caller.back, select.EPOLLIN)
        self._observer.rebound(len(self.callers))

    def _close(self) -> None:
        for caller in self.callers:
            self.callers.remove(caller)
        self._front.close()
        self._epoll.close()
        os.close(self._wake_fd)
