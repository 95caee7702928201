"""The direct engine: passes a source's messages to libsrt, each with its own time. Fulfils worker.engine.Sender.

One thread sends. It wakes every 10 ms for a group or every 40 ms for a file, gives each receiver the messages that are
due, and serves callers. No call blocks, so a slow receiver does not delay the others.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Final, assert_never

import msgspec

from app.domain.endings import CannotSend, Finished
from app.domain.figures.debug import DirectDebug
from app.domain.figures.sample import Applied, Input, Peer
from app.domain.spec import CallerEndpoint, Engine, ListenerEndpoint, SendSpec
from app.domain.status import Reason
from app.engines.direct.call import CallDoor
from app.engines.direct.door import Door
from app.engines.direct.drain import Drain
from app.engines.direct.feed import build_feed
from app.engines.direct.listener import ListenerDoor
from app.machine.steady_clock import unix_now
from app.machine.timer_slack import new_threads_wake_late
from app.protocol import NEW_CONTENTS, Job, Notice, Notify, PeerEvent
from app.srt.binding import SrtError, SrtUnavailable, library, time_now_us, version_text
from app.srt.options import Option
from app.srt.peer_figures import read_options, read_raw
from app.srt.rate_floor import RateFloor

# libsrt may send a packet this part of a turn later: 4 ms for a file, which is 60 ms ahead, and 1 ms for a group.
_SLACKS_IN_A_TURN: Final = 10


class DirectSender:
    """Sends one stream through libsrt itself. Build it, `start`, then `poll` until Finished, then `stop`."""

    def __init__(self, job: Job, spec: SendSpec, notify: Notify) -> None:
        """Open the source. Raises CannotSend or Finished."""
        self._notify_outside = notify
        self._engine_reason = job.engine_reason
        self._has_new_contents = False
        try:
            library()
        except SrtUnavailable as error:
            raise CannotSend(Reason.MISSING_ELEMENT, f"libsrt cannot be used: {error}") from None
        self._door = _door_of(job, spec, self._notify)
        self._feed = build_feed(job, spec, self._notify)
        self._floor = RateFloor(job.bitrate_bps)
        self._drain = Drain(spec.latency_ms)
        self._end: Finished | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._is_closed = False

    def _notify(self, event: PeerEvent | Notice) -> None:
        if isinstance(event, Notice) and event.code in NEW_CONTENTS:
            self._has_new_contents = True
        self._notify_outside(event)

    def start(self) -> None:
        """Bind the port or start the call. Raises CannotSend."""
        # Under a bandwidth cap, libsrt's thread waits before each packet; with slack it sends several at a wake-up.
        with new_threads_wake_late(self._feed.turn_us // _SLACKS_IN_A_TURN):
            self._door.open()
        self._thread.start()

    def _run(self) -> None:
        """Send until the end. An error is raised by `poll` in the worker's own thread."""
        try:
            self._serve_and_send()
        finally:
            os.eventfd_write(self._wake_fd, 1)

    def _serve_and_send(self) -> None:
        try:
            while self._door.is_waiting() and not self._stopping.wait(self._feed.turn_us / 1e6):
                self._door.serve(time_now_us())
            self._send_in_turns()
        except Finished as end:
            self._end = end
        except SrtError as error:
            self._end = Finished(Reason.ENGINE_ERROR, str(error))

    def _send_in_turns(self) -> None:
        feed, door, clock_us = self._feed, self._door, library().c.srt_time_now
        turn_us, next_turn_us = feed.turn_us, clock_us()
        feed.start(next_turn_us)
        while not self._stopping.is_set():
            now_us = clock_us()
            door.serve(now_us)
            if batches := feed.due(now_us):
                for receiver in door.receivers():
                    if not receiver.send(batches):
                        door.lose(receiver)
            if feed.has_ended():
                self._drain.begin(unix_now())
                return
            next_turn_us = max(next_turn_us + turn_us, now_us)
            # Event.wait would cost several times as much CPU. A stop is noticed one turn later.
            time.sleep(max(0, next_turn_us - clock_us()) / 1e6)

    def wake_fd(self) -> int:
        """A descriptor that is readable when the sender has ended."""
        return self._wake_fd

    def is_on_its_way(self) -> bool:
        """Whether a call is unanswered or the last packets are being delivered: poll often then."""
        return self._door.is_waiting() or self._drain.has_begun()

    def poll(self) -> None:
        """Follow the end of a file. Raises Finished."""
        is_sending = self._thread.is_alive()  # read first: the thread sets its end before it ends
        if self._end is not None:
            raise self._end
        if self._drain.has_begun():
            self._drain.follow(self._door.receivers(), unix_now())
        elif not is_sending:
            raise Finished(Reason.ENGINE_ERROR, "the sending thread has died; the worker's log has the cause")
        if self._has_new_contents:
            self._has_new_contents = False
            self._floor = RateFloor(None)
            for sock in (self._door.main, *(receiver.socket for receiver in self._door.receivers())):
                sock.try_to_set(Option.INPUTBW, 0)

    def read_peers(self) -> list[Peer]:
        """Return the present connections."""
        peers = (receiver.read() for receiver in self._door.receivers())
        return [peer for peer in peers if peer is not None]

    def read_input(self) -> Input:
        """Return the source's figures; libsrt's cap follows them."""
        source = self._feed.read_input()
        floor = self._floor.follow(source.counted_at or unix_now(), source.bytes_total)
        for sock in (self._door.main, *(receiver.socket for receiver in self._door.receivers())):
            sock.try_to_set(Option.MININPUTBW, floor)
        return source

    def read_applied(self) -> Applied:
        """Return the options in force on the listener or the call."""
        applied = read_options(self._door.main)
        return msgspec.structs.replace(applied, engine=Engine.DIRECT, engine_reason=self._engine_reason)

    def read_debug(self) -> DirectDebug:
        """Return every libsrt option and figure; no texts, so no passphrase."""
        sockets = {"main": self._door.main} | {str(each.number): each.socket for each in self._door.receivers()}
        return DirectDebug(
            self.engine_name(), self._feed.turn_us / 1000, {name: read_raw(sock) for name, sock in sockets.items()}
        )

    def engine_name(self) -> str:
        """Return the engine and libsrt's version."""
        return f"direct, libsrt {version_text()}"

    def halt(self) -> None:
        """End the sending thread; connections and figures remain."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def stop(self) -> None:
        """Close the connections, which the receivers notice at once, and release the source."""
        if self._is_closed:
            return
        self._is_closed = True
        self.halt()
        self._door.close()
        self._feed.close()


def _door_of(job: Job, spec: SendSpec, notify: Notify) -> Door:
    endpoint = spec.endpoint
    match endpoint:
        case ListenerEndpoint():
            return ListenerDoor(job, spec, endpoint, notify)
        case CallerEndpoint():
            return CallDoor(job, spec, endpoint, notify)
        case _:
            assert_never(endpoint)
