"""Describes a spec in words: its mode, its far end and its source. Pages need not distinguish kinds of specs."""

from __future__ import annotations

from typing import assert_never

from app.domain.spec import (
    BarsSource,
    CallerEndpoint,
    Encryption,
    Endpoint,
    FileSource,
    JobSpec,
    ListenerEndpoint,
    MulticastSource,
    ReceiveSpec,
    RelaySpec,
    SendSpec,
    Source,
)
from app.protocol import Input
from app.web.presenters.stream_views import FarEndView, InputCounterView


def direction_of(spec: JobSpec) -> str:
    """Return one word for the direction of the transport stream, seen from this host."""
    match spec:
        case SendSpec():
            return "send"
        case ReceiveSpec():
            return "receive"
        case RelaySpec():
            return "relay"
        case _:
            assert_never(spec)


def mode_of(spec: JobSpec) -> str:
    """Return one word for how the job meets its far end."""
    match spec:
        case SendSpec() | ReceiveSpec():
            return spec.endpoint.mode.value
        case RelaySpec():
            return "relay"
        case _:
            assert_never(spec)


def mode_text(spec: JobSpec) -> str:
    """Return how the job meets its far end, such as `listener on port 10001`."""
    match spec:
        case SendSpec() | ReceiveSpec():
            return _endpoint_text(spec.endpoint)
        case RelaySpec():
            return f"relay on port {spec.listen_port}"
        case _:
            assert_never(spec)


def _endpoint_text(endpoint: Endpoint) -> str:
    match endpoint:
        case ListenerEndpoint():
            return f"listener on port {endpoint.port}"
        case CallerEndpoint():
            return f"caller to {endpoint.host} port {endpoint.port}"
        case _:
            assert_never(endpoint)


def target_of(spec: JobSpec) -> str:
    """Return the far end for a table: `192.0.2.10:9000`, or `:10001` if the far end calls."""
    match spec:
        case SendSpec() | ReceiveSpec():
            remote = spec.endpoint.remote()
            return f":{spec.endpoint.port}" if remote is None else str(remote)
        case RelaySpec():
            return str(spec.target)
        case _:
            assert_never(spec)


def nobody_text(spec: JobSpec) -> str:
    """Return the text for a job without a connected far end."""
    match spec:
        case SendSpec():
            return "Calling the receiver" if spec.is_call else "No receiver is connected"
        case ReceiveSpec():
            return "Calling the sender" if spec.is_call else "No sender is connected"
        case RelaySpec():
            return "No caller is connected"
        case _:
            assert_never(spec)


def source_kind(spec: JobSpec) -> str:
    """Return one word for the source of the job."""
    match spec:
        case SendSpec():
            return _kind(spec.source)
        case ReceiveSpec():
            return "srt"
        case RelaySpec():
            return "udp"
        case _:
            assert_never(spec)


def _kind(source: Source) -> str:
    match source:
        case FileSource():
            return "file"
        case MulticastSource():
            return "multicast"
        case BarsSource():
            return "bars"
        case _:
            assert_never(source)


def source_label(spec: JobSpec) -> str:
    """Return the source of the job for a table."""
    match spec:
        case SendSpec():
            return spec.source.label()
        case ReceiveSpec():
            return spec.endpoint.label()
        case RelaySpec():
            return f":{spec.listen_port}"
        case _:
            assert_never(spec)


def source_text(spec: JobSpec) -> str:
    """Return the source of the job in full."""
    match spec:
        case SendSpec():
            return _source_text(spec.source)
        case ReceiveSpec() | RelaySpec():
            return source_label(spec)
        case _:
            assert_never(spec)


def _source_text(source: Source) -> str:
    match source:
        case FileSource() | BarsSource():
            return source.label()
        case MulticastSource():
            sender = f" from {source.source_ip}" if source.source_ip else ""
            return f"{source.protocol}://{source.label()} on {source.interface}{sender}"
        case _:
            assert_never(source)


def source_note(spec: JobSpec, loops: int) -> str:
    """Return a short note on the source: the interface, or how often the file was repeated."""
    match spec:
        case SendSpec():
            return _note_of(spec.source, loops)
        case ReceiveSpec() | RelaySpec():
            return ""
        case _:
            assert_never(spec)


def _note_of(source: Source, loops: int) -> str:
    match source:
        case MulticastSource():
            return source.interface if source.interface != "auto" else ""
        case FileSource():
            return f"loop {loops}" if loops else ""
        case BarsSource():
            return ""
        case _:
            assert_never(source)


def input_counters(spec: JobSpec, counted: Input) -> list[InputCounterView]:
    """Return the counters that only this kind of source has, and the discarded packets."""
    discarded = counted.packets_discarded_total
    return [*_own_counters(spec, counted), *([InputCounterView("Discarded", discarded)] if discarded else [])]


def _own_counters(spec: JobSpec, counted: Input) -> list[InputCounterView]:
    match spec:
        case SendSpec():
            return _counters_of(spec.source, counted)
        case ReceiveSpec() | RelaySpec():
            return []
        case _:
            assert_never(spec)


def _counters_of(source: Source, counted: Input) -> list[InputCounterView]:
    match source:
        case FileSource():
            return [InputCounterView("Loops", counted.loops_total)]
        case MulticastSource():
            return [InputCounterView("RTP gaps", counted.rtp_gaps_total)] if source.protocol == "rtp" else []
        case BarsSource():
            return []
        case _:
            assert_never(source)


def far_end_of(spec: JobSpec) -> FarEndView:
    """Return the settings for the far end."""
    match spec:
        case SendSpec() | ReceiveSpec():
            remote = spec.endpoint.remote()
            return FarEndView(
                calls_us=remote is None,
                host=None if remote is None else remote.host,
                port=spec.endpoint.port,
                latency_ms=spec.latency_ms,
                key_bits=_key_bits(spec.encryption),
            )
        case RelaySpec():
            return FarEndView(calls_us=True, host=None, port=spec.listen_port, latency_ms=None, key_bits=None)
        case _:
            assert_never(spec)


def _key_bits(encryption: Encryption | None) -> int | None:
    return None if encryption is None else encryption.key_bits


def about_text(spec: JobSpec) -> str:
    """Return the line under a stream's name."""
    bits = _key_bits(spec.encryption)
    encryption = "not encrypted" if bits is None else f"AES-{bits}"
    if isinstance(spec, ReceiveSpec):  # for this kind of stream, the source is the far end
        outputs = [f"records as {spec.record.name}"] if spec.record else []
        outputs += [f"forwards to {spec.forward.address} port {spec.forward.port}"] if spec.forward else []
        return " · ".join([mode_text(spec), encryption, *outputs])
    return f"{source_text(spec)} → {mode_text(spec)} · {encryption}"
