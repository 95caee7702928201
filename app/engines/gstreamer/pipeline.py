"""A stream's GStreamer pipeline, source ! srtsink, built from elements and properties. Fulfils worker.engine.Sender."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from app.domain.constants import CONNECT_TIMEOUT_MS
from app.domain.endings import CannotSend, Finished
from app.domain.events import NoticeCode, PeerChange
from app.domain.figures.debug import GStreamerDebug
from app.domain.figures.sample import NOTHING_APPLIED, Applied, Input, Peer
from app.domain.spec import Encryption, Engine, HostPort, SendSpec
from app.domain.status import Reason
from app.engines.gstreamer.faults import reason_of_text
from app.engines.gstreamer.gst import Gst
from app.engines.gstreamer.refusals import CallerWatch
from app.engines.gstreamer.source import SourcePart, make
from app.engines.gstreamer.sources import build_source
from app.engines.gstreamer.srt_stats import LibSrtPeers, peers_of_structure
from app.machine.steady_clock import unix_now
from app.protocol import NEW_CONTENTS, Job, Notice, Notify, PeerEvent
from app.srt.binding import SrtUnavailable, library, version_text
from app.srt.log import hear_log
from app.srt.rate_floor import RateFloor
from app.srt.rejections import reason_of_rejection
from app.srt.sockets import SrtSocket, State
from app.srt.spec_options import gstreamer_uri_parameters

_WATCHED: Final = Gst.MessageType.ERROR | Gst.MessageType.EOS | Gst.MessageType.WARNING
# After the last packet, the far end may still request resends: wait this long at most for an empty send buffer.
_DRAIN_BEYOND_LATENCY_S: Final = 1.0
_PLAYED_AFTER_S: Final = 0.1
_CALL_DEADLINE_S: Final = CONNECT_TIMEOUT_MS / 1000 + 1.0


class GstSender:
    """Sends one stream through GStreamer. Build it, `start`, then `poll` until Finished, then `stop`."""

    def __init__(self, job: Job, spec: SendSpec, notify: Notify) -> None:
        self._job = job
        self._spec = spec
        self._notify_outside = notify
        self._has_new_contents = False
        self._is_caller = spec.is_call
        self._sink = build_sink(job, spec)
        self._source: SourcePart = build_source(job, spec, self._rendered_ns, self._notify)
        self._pipeline = Gst.Pipeline.new("stream")
        self._link()
        self._bus = self._pipeline.get_bus()
        self._peers = self._find_libsrt()
        self._watch = (
            None
            if self._is_caller
            else CallerWatch(self._sink, self._notify, hear_log if self._peers else None, job.receivers_max)
        )
        self._floor = RateFloor(job.bitrate_bps)
        self._calling_until: float | None = None
        self._waits_for_receiver = spec.begins_with_receiver
        self._draining_until: float | None = None
        self._end_at: float | None = None

    def _notify(self, event: PeerEvent | Notice) -> None:
        if isinstance(event, Notice) and event.code in NEW_CONTENTS:
            self._has_new_contents = True
        self._notify_outside(event)

    def _link(self) -> None:
        chain = [*self._source.elements, self._sink]
        for element in chain:
            self._pipeline.add(element)
        for upstream, downstream in pairwise(chain):
            if not upstream.link(downstream):
                raise CannotSend(Reason.ENGINE_ERROR, f"{upstream.get_name()} does not link to {downstream.get_name()}")

    def _find_libsrt(self) -> LibSrtPeers | None:
        try:
            library()
        except SrtUnavailable as error:
            self._notify(Notice(unix_now(), NoticeCode.LIBSRT_HIDDEN, f"Some SRT figures cannot be read: {error}"))
            return None
        return LibSrtPeers(self._called_address())

    def _called_address(self) -> str | None:
        remote = self._spec.endpoint.remote()
        return None if remote is None else str(remote)

    def start(self) -> None:
        """Bind the port or start the call. Raises CannotSend."""
        if self._pipeline.set_state(Gst.State.PAUSED) is Gst.StateChangeReturn.FAILURE:
            raise CannotSend(*self._error_on_bus())
        self._source.start()
        if self._is_caller and self._peers is not None:
            # Play only once connected: otherwise packets that were due before the answer would be sent in one burst.
            self._calling_until = unix_now() + _CALL_DEADLINE_S
        elif not self._waits_for_receiver:
            self._play()

    def _play(self) -> None:
        self._calling_until, self._waits_for_receiver = None, False
        if self._pipeline.set_state(Gst.State.PLAYING) is Gst.StateChangeReturn.FAILURE:
            raise CannotSend(*self._error_on_bus())

    def _error_on_bus(self) -> tuple[Reason, str]:
        message = self._bus.pop_filtered(Gst.MessageType.ERROR)
        if message is None:
            return Reason.ENGINE_ERROR, "the pipeline did not start and gave no reason"
        error, debug = message.parse_error()
        text = f"{error.message} {debug or ''}".strip()
        return reason_of_text(text), text

    def wake_fd(self) -> int:
        """The bus's descriptor: readable when a message waits."""
        return int(self._bus.get_pollfd().fd)

    def is_on_its_way(self) -> bool:
        """Whether a call is unanswered or the last packets are being delivered: poll often then."""
        return any(until is not None for until in (self._calling_until, self._draining_until, self._end_at))

    def poll(self) -> None:
        """Handle bus messages, an unanswered call and the end of a file. Raises Finished."""
        while (message := self._bus.pop_filtered(_WATCHED)) is not None:
            self._handle(message)
        if self._calling_until is not None and self._peers is not None:
            self._follow_call(self._peers, self._calling_until)
        if self._end_at is not None and unix_now() > self._end_at:
            raise Finished(Reason.END_OF_FILE)
        if self._draining_until is not None:
            self._follow_drain(self._draining_until)
        if self._has_new_contents and self._peers is not None:
            self._has_new_contents = False
            self._peers.estimate_input_rate()
            self._floor = RateFloor(None)
        if self._watch is not None:
            if self._waits_for_receiver and self._watch.has_receiver():
                self._play()
            self._watch.settle()
            if self._peers is not None:
                for number in self._watch.punish(self._peers.address_of):
                    SrtSocket(number).close()

    def _handle(self, message: Gst.Message) -> None:
        if message.type == Gst.MessageType.ERROR:
            error, debug = message.parse_error()
            text = f"{error.message} {debug or ''}".strip()
            raise self._source.fault() or Finished(reason_of_text(text), text)
        if message.type == Gst.MessageType.EOS:
            if (fault := self._source.fault()) is not None:
                raise fault
            self._draining_until = unix_now() + self._spec.latency_ms / 1000 + _DRAIN_BEYOND_LATENCY_S
            return
        warning, debug = message.parse_warning()
        self._notify(Notice(unix_now(), NoticeCode.ENGINE_WARNING, f"{warning.message} {debug or ''}".strip()))

    def _follow_call(self, peers: LibSrtPeers, deadline: float) -> None:
        """Play when the call is answered. End with libsrt's own reason when it is not."""
        states = set(peers.states().values())
        if State.CONNECTED in states:
            self._play()
            for peer in peers.read():
                self._notify(PeerEvent(unix_now(), PeerChange.CONNECTED, peer.address))
            return
        if State.CONNECTING not in states and (refusal := peers.refusal()) is not None:
            code, text = refusal
            raise Finished(reason_of_rejection(code), text)
        if unix_now() > deadline:
            raise Finished(Reason.CONNECTION_TIMEOUT, "no answer to the call")

    def _follow_drain(self, deadline: float) -> None:
        """Wait until all packets are acknowledged, and then until the receivers have played what they buffer."""
        peers = self._peers.read() if self._peers is not None else []
        if any(peer.send_buffer_packets for peer in peers) and unix_now() < deadline:
            return
        held_ms = max((peer.negotiated_latency_ms or 0 for peer in peers), default=0)
        rtt_ms = max((peer.rtt_ms for peer in peers), default=0)
        self._draining_until, self._end_at = None, unix_now() + (held_ms + rtt_ms) / 1000 + _PLAYED_AFTER_S

    def read_peers(self) -> list[Peer]:
        """Return the present connections, from libsrt, or from GStreamer if libsrt is not accessible."""
        if self._peers is not None:
            peers = self._peers.read(self._watch.take_attempts() if self._watch else 0)
            if self._watch is not None:
                self._watch.suspect(self._peers.acknowledging_unsent(peers))
            return peers
        return peers_of_structure(self._sink.get_property("stats"), self._called_address() or "")

    def read_input(self) -> Input:
        """Return the source's figures; libsrt's cap follows them."""
        source = self._source.read_input()
        if self._peers is not None:
            self._peers.hold_input_rate(self._floor.follow(source.counted_at or unix_now(), source.bytes_total))
        return source

    def read_applied(self) -> Applied:
        """Return the options in force on the listener or the call."""
        applied = self._peers.applied() if self._peers is not None else NOTHING_APPLIED
        return msgspec.structs.replace(applied, engine=Engine.GSTREAMER, engine_reason=self._job.engine_reason)

    def read_debug(self) -> GStreamerDebug:
        """Return element states and every libsrt figure. The passphrase is write-only in srtsink and is not read."""
        elements = {
            element.get_factory().get_name(): element.get_state(0).state.value_nick
            for element in (*self._source.elements, self._sink)
        }
        sink = {name: self._sink.get_property(name) for name in _SINK_PROPERTIES_SHOWN}
        return GStreamerDebug(
            engine=self.engine_name(),
            elements=elements,
            srtsink=sink,
            options=_options(self._job, self._spec),
            sockets=self._peers.debug() if self._peers is not None else {},
            rendered_ns=self._rendered_ns(),
        )

    def engine_name(self) -> str:
        """Return the versions of GStreamer and libsrt."""
        srt = version_text() if self._peers is not None else "unknown"
        return f"{Gst.version_string()}, libsrt {srt}"

    def _rendered_ns(self) -> int | None:
        sample = self._sink.get_property("last-sample")
        buffer = sample.get_buffer() if sample is not None else None
        return None if buffer is None or buffer.pts == Gst.CLOCK_TIME_NONE else int(buffer.pts)

    def stop(self) -> None:
        """Close connections and source."""
        self._pipeline.set_state(Gst.State.NULL)
        self._source.close()


_SINK_PROPERTIES_SHOWN: Final = ("latency", "wait-for-connection", "auto-reconnect", "authentication", "sync", "async")


def build_sink(job: Job, spec: SendSpec) -> Gst.Element:
    """Make the srtsink of a job and read its settings back. Raises CannotSend when a setting was not accepted."""
    options = _options(job, spec)
    # srtsink forgets every option set before `uri`, encryption included. Keep this line first. The host is an address
    # or an RFC 1123 name; every character of a stream ID that has a meaning in a URI is encoded, and GStreamer does
    # not decode `+`: no user text can add a key here.
    sink = make("srtsink", uri=f"srt://{_address(job, spec)}?{urlencode(options, safe='', quote_via=quote)}")
    wanted: dict[str, Any] = {"latency": spec.latency_ms, "wait-for-connection": False, "async": False}
    # In GStreamer 1.22 these share one variable, and the later wins. A caller needs the first, a listener the second.
    wanted |= {"auto-reconnect": False} if spec.is_call else {"authentication": True}
    for name, value in wanted.items():
        sink.set_property(name, value)
    if spec.encryption is not None:
        _encrypt(sink, spec.encryption)
    for name, value in wanted.items():
        if sink.get_property(name) != value:
            raise CannotSend(Reason.BAD_OPTION, f"srtsink did not accept {name}={value}")
    return sink


def _address(job: Job, spec: SendSpec) -> HostPort:
    """Return the host and port of the sink's URI. An empty host makes a listener bind every address."""
    return spec.endpoint.remote() or HostPort(job.bind_address, spec.endpoint.port)


def _options(job: Job, spec: SendSpec) -> dict[str, str]:
    return gstreamer_uri_parameters(
        spec, dscp=job.dscp, bitrate_bps=job.bitrate_bps, is_constant_bitrate=job.is_constant_bitrate
    )


def _encrypt(sink: Gst.Element, encryption: Encryption) -> None:
    sink.set_property("passphrase", encryption.passphrase.reveal())
    sink.set_property("pbkeylen", encryption.key_bits // 8)
    if int(sink.get_property("pbkeylen")) != encryption.key_bits // 8:
        raise CannotSend(Reason.BAD_OPTION, "srtsink rejected the key length")
