"""A receive stream as an engine of the worker. The receiver has its own thread, so that no other work delays it."""

from __future__ import annotations

import os
import threading
import time
from typing import Final

from app.domain.endings import Finished
from app.domain.figures.debug import ReceiverDebug
from app.domain.figures.sample import NOTHING_APPLIED, Applied
from app.domain.spec import ReceiveSpec
from app.domain.status import Reason
from app.engines.receiver.outputs.outputs import Outputs
from app.machine.steady_clock import unix_now
from app.protocol import Input, Job, Notify, Peer, Picture, Received
from app.receiver.receiver import Receiver
from app.srt.binding import version_text
from app.srt.options import Option
from app.srt.peer_figures import read_raw

_SECOND_S: Final = 0.7  # the shortest time between two accounts that counts as a second


class ReceiverEngine:
    """Fulfils the worker's Engine. Build it, `start`, then `poll` until Finished, then `stop`."""

    def __init__(self, job: Job, spec: ReceiveSpec, notify: Notify) -> None:
        self._spec = spec
        self._outputs = Outputs(job, spec, notify)
        self._receiver = Receiver(spec, dscp=job.dscp, notify=notify, outputs=[self._outputs])
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="receiver", daemon=True)
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._end: Finished | None = None
        self._is_stopping = False
        self._received: Received | None = None
        self._closed_at = 0.0

    def start(self) -> None:
        """Bind the port or start the call. Raises CannotSend."""
        self._receiver.open()
        self._thread.start()

    def _run(self) -> None:
        while not self._is_stopping:
            try:
                with self._lock:
                    self._receiver.poll()
            except Finished as end:
                self._end = end
                os.eventfd_write(self._wake_fd, 1)
                return
            time.sleep(self._receiver.wait_s)

    def poll(self) -> None:
        """Raise Finished when the reception has ended."""
        if self._end is not None:
            raise self._end
        if not self._thread.is_alive():
            raise Finished(Reason.ENGINE_ERROR, "the receiver's thread has died; the worker's log has the cause")

    def wake_fd(self) -> int:
        """A descriptor that is readable when the reception has ended."""
        return self._wake_fd

    def is_on_its_way(self) -> bool:
        """False: the thread follows the connection by itself."""
        return False

    def read_peers(self) -> list[Peer]:
        """Return the connected sender, if any."""
        with self._lock:
            return self._receiver.peers()

    def read_input(self) -> Input:
        """Return what came out of the SRT connection, which is this stream's input."""
        with self._lock:
            at = self._receiver.last_packet_at
            bytes_total = self._receiver.bytes_out
        return Input(bytes_total=bytes_total, last_packet_age_s=None if at is None else max(0.0, unix_now() - at))

    def read_received(self, *, is_last: bool = False) -> Received:
        """Close a second of the account and return it. Within a second of the previous one, return that again.

        The last account ends the reading first, so that nothing comes out that it does not count.
        """
        if is_last:
            self._end_reading()
        now = unix_now()
        if is_last or self._received is None or now - self._closed_at >= _SECOND_S:
            self._closed_at = now
            with self._lock:
                account = self._receiver.close_second(now)
                self._received = Received(account, self._receiver.analysis(now), self._outputs.report())
        return self._received

    def read_picture(self) -> Picture | None:
        """Return the newest key frame, None while there is none."""
        return self._outputs.picture()

    def reset(self) -> None:
        """Count from zero."""
        now = unix_now()
        with self._lock:
            self._receiver.reset(now)
        self._outputs.reset(now)

    def read_applied(self) -> Applied:
        """Return the options in force on the listening or calling socket."""
        entry = self._receiver.input.entry()
        if entry is None:
            return NOTHING_APPLIED
        tos, key_bytes = entry.option(Option.IPTOS), entry.option(Option.PBKEYLEN)
        return Applied(
            latency_ms=entry.option(Option.RCVLATENCY),
            dscp=None if tos is None or tos < 0 else tos >> 2,
            key_bits=key_bytes * 8 if key_bytes else None,
            too_late_packet_drop=bool(entry.option(Option.TLPKTDROP)),
            nak_reports=bool(entry.option(Option.NAKREPORT)),
        )

    def read_debug(self) -> ReceiverDebug:
        """Return states, options and every libsrt figure; nothing secret."""
        entry, connection = self._receiver.input.entry(), self._receiver.input.connection
        return ReceiverDebug(
            self.engine_name(),
            entry=None if entry is None else read_raw(entry),
            connection=None if connection is None else read_raw(connection.sock),
        )

    def engine_name(self) -> str:
        """Return the libsrt in use."""
        return f"receiver, libsrt {version_text()}"

    def _end_reading(self) -> None:
        self._is_stopping = True
        if self._thread.is_alive():
            self._thread.join(1.0)

    def stop(self) -> None:
        """Close the connection, end the thread and finish the outputs."""
        self._end_reading()
        self._receiver.close()
        self._outputs.stop()
