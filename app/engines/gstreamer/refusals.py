"""The callers of a listener: accepted, gone, or refused with the reason.

srtsink emits `caller-connecting` before the passphrase check and `caller-added` after it. Only libsrt's log has the
reason of a refusal. Both come from one thread, in order.

srtsink has a backlog of one, so libsrt refuses the second of two simultaneous callers unless the first was accepted.
libsrt logs each request and waits for the log handler to return. The handler waits (at most 50 ms) until the pending
caller is accepted. A caller that is refused nevertheless never reaches srtsink: its address is unknown, and it is
reported as a notice.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

import msgspec

from app.domain.events import NoticeCode, PeerChange
from app.domain.status import Reason
from app.engines.gstreamer.gst import Gio, Gst
from app.machine.steady_clock import unix_now
from app.protocol import Notice, Notify, PeerEvent
from app.srt.addresses import host_of, printable
from app.srt.admission import BOGUS_ACK, Admission, DenialReport
from app.srt.log import LogLevel
from app.srt.rejections import reason_of_rejection

_REQUEST: Final = "PASSING request from"
_BACKLOG_EXCEEDED: Final = 1005  # SRT_REJ_BACKLOG of srt.h in its wire form
_REJECTED: Final = re.compile(r"processConnectRequest: rsp\(REJECT\): (\d+)")
_TURNED_AWAY: Final = "a receiver that called at the same moment as another was refused and has to call again"
# A handshake ends within libsrt's connection time-out. A caller that is not connected by then was refused.
_UNDECIDED_S: Final = 3.0
# Accepting takes less than a millisecond. Acknowledgements of the other receivers wait as long, hence a limit.
_ACCEPT_S: Final = 0.05


class _Caller(msgspec.Struct):
    """A caller that is neither accepted nor refused yet."""

    called_at: float
    stream_id: str
    was_waited_for: bool = False


class CallerWatch:
    """Turns srtsink's signals and libsrt's log into PeerEvents. Signals come from libsrt's own threads."""

    def __init__(
        self,
        sink: Gst.Element,
        notify: Notify,
        hear: Callable[[Callable[[str], None], LogLevel], None] | None,
        receivers_max: int,
    ) -> None:
        """`hear` is `hear_log`, None where libsrt is hidden; a listener has `receivers_max` receivers at most."""
        self._notify = notify
        self._admission = Admission(receivers_max)
        self._denials = DenialReport()
        # Connections by address: many SRT connections may share one UDP port.
        self._standing: Counter[str] = Counter()
        self._bogus: list[int] = []
        self._lock = threading.Lock()
        self._decided = threading.Condition(self._lock)
        self._pending: dict[str, _Caller] = {}
        self._latest = ""
        self._attempts = 0
        sink.connect("caller-connecting", self._on_connecting)
        sink.connect("caller-added", self._on_added)
        sink.connect("caller-removed", self._on_removed)
        if hear is not None:
            # Not through GStreamer's log: debug lines would have to be enabled there for all of its elements,
            # and each version gives them another level.
            hear(self._on_log, LogLevel.DEBUG)

    def take_attempts(self) -> int:
        """Return how many callers called since the last call of this method."""
        with self._lock:
            attempts, self._attempts = self._attempts, 0
        return attempts

    def has_receiver(self) -> bool:
        """Whether a caller is connected."""
        with self._lock:
            return bool(self._standing)

    def settle(self) -> None:
        """Count callers that were never connected as refused for an unknown reason."""
        with self._lock:
            now = time.monotonic()
            overdue = [address for address, it in self._pending.items() if now - it.called_at > _UNDECIDED_S]
            gone = [(address, self._decide(address)) for address in overdue]
            summary = self._denials.summary(now)
        for address, stream_id in gone:
            self._notify(PeerEvent(unix_now(), PeerChange.REFUSED, address, None, stream_id))
        if summary is not None:
            self._notify(Notice(unix_now(), NoticeCode.CALLERS_LIMITED, summary))

    def suspect(self, numbers: list[int]) -> None:
        """Note connections that have acknowledged unsent packets, which libsrt's log does not mention."""
        with self._lock:
            self._bogus += [number for number in numbers if number not in self._bogus]

    def punish(self, address_of: Callable[[int], str | None]) -> list[int]:
        """Ban the hosts of connections that acknowledged unsent packets, and return their socket numbers.

        Each such packet holds up the one thread of libsrt that serves all receivers. `address_of` maps a socket number
        to an address.
        """
        with self._lock:
            numbers, self._bogus = self._bogus, []
        for number in numbers:
            if (address := address_of(number)) is None:
                continue
            host = host_of(address)
            with self._lock:
                self._admission.ban(host, time.monotonic())
            text = f"{host} acknowledged packets that were never sent; its calls are refused for one hour"
            self._notify(Notice(unix_now(), NoticeCode.CALLERS_LIMITED, text))
        return numbers

    def _on_connecting(self, _sink: Gst.Element, caller: Gio.InetSocketAddress, stream_id: str | None) -> bool:
        address, now, is_reported = _text(caller), time.monotonic(), False
        with self._lock:
            self._attempts += 1
            standing = self._standing.total() + len(self._pending)
            denial = self._admission.decide(host_of(address), standing, now)
            if denial is None:
                self._latest = address
                self._pending[address] = _Caller(now, printable(stream_id))
            else:
                self._latest = ""
                is_reported = self._denials.is_reported(host_of(address), denial, now)
        if is_reported:
            reason = Reason.CONNECTION_REJECTED
            self._notify(PeerEvent(unix_now(), PeerChange.REFUSED, address, reason, printable(stream_id)))
        return denial is None

    def _on_added(self, _sink: Gst.Element, _id: int, address: Gio.InetSocketAddress) -> None:
        with self._lock:
            stream_id = self._decide(_text(address))
            self._standing[_text(address)] += 1
        self._notify(PeerEvent(unix_now(), PeerChange.CONNECTED, _text(address), None, stream_id))

    def _on_removed(self, _sink: Gst.Element, _id: int, address: Gio.InetSocketAddress) -> None:
        # Reading the sink's stats here would deadlock.
        with self._lock:
            self._standing -= Counter([_text(address)])  # drops what is at zero
        self._notify(PeerEvent(unix_now(), PeerChange.DISCONNECTED, _text(address)))

    def _decide(self, address: str) -> str:
        caller = self._pending.pop(address, None)
        self._decided.notify_all()
        return caller.stream_id if caller else ""

    def _on_log(self, text: str) -> None:
        if _REQUEST in text:
            self._hold_until_accepted()
            return
        if (match := BOGUS_ACK.search(text)) is not None:
            with self._lock:
                self._bogus.append(int(match[1]))
            return
        if (match := _REJECTED.search(text)) is None:
            return
        if (code := int(match[1])) == _BACKLOG_EXCEEDED:
            # This is not the latest caller, which srtsink was asked about.
            self._notify(Notice(unix_now(), NoticeCode.CALLER_TURNED_AWAY, _TURNED_AWAY))
            return
        with self._lock:
            address, self._latest = self._latest, ""
            stream_id = self._decide(address)
        if address:
            reason: Reason = reason_of_rejection(code)
            self._notify(PeerEvent(unix_now(), PeerChange.REFUSED, address, reason, stream_id))

    def _hold_until_accepted(self) -> None:
        with self._decided:
            before = {address for address, caller in self._pending.items() if not caller.was_waited_for}
            self._decided.wait_for(lambda: before.isdisjoint(self._pending), _ACCEPT_S)
            for caller in self._pending.values():
                caller.was_waited_for = True


def _text(address: Gio.InetSocketAddress) -> str:
    host = address.get_address().to_string().removeprefix("::ffff:")
    return f"[{host}]:{address.get_port()}" if ":" in host else f"{host}:{address.get_port()}"
