"""Derives the libsrt options from a spec, the same for every engine."""

from __future__ import annotations

from app.domain.constants import (
    BITRATE_BPS_ASSUMED,
    BUFFER_PACKETS_LOWEST,
    BUFFER_UNIT_BYTES,
    CONNECT_TIMEOUT_MS,
    PEER_IDLE_TIMEOUT_MS,
    RECEIVE_BUFFER_PACKETS,
)
from app.domain.link_budget import applied_overhead_percent, buffer_packets, input_bandwidth_bytes
from app.domain.spec import SendSpec
from app.srt.options import Option, Value, uri_parameters


def options(
    spec: SendSpec, *, dscp: int, bitrate_bps: int | None = None, is_constant_bitrate: bool = False
) -> dict[Option, Value]:
    """Return the options of a sender, apart from latency and encryption (`agreed_options`).

    `dscp` (0..63) is used if the spec switches QoS on. SRTO_TRANSTYPE must stay out: setting it resets latency,
    overhead and more, and live is the default.
    """
    packets = _packets_kept(spec, bitrate_bps, is_constant_bitrate=is_constant_bitrate)
    # libsrt needs half a second to estimate a rate and caps nothing until then; a known rate is set at once.
    known_bps = bitrate_bps if is_constant_bitrate else None
    return _optional(spec) | {
        Option.OHEADBW: applied_overhead_percent(spec.overhead_percent),
        Option.MAXBW: 0,  # the cap follows the input rate; only then does oheadbw act
        Option.INPUTBW: input_bandwidth_bytes(known_bps) if known_bps else 0,
        Option.TLPKTDROP: True,
        Option.NAKREPORT: True,
        Option.FC: packets,
        Option.SNDBUF: packets * BUFFER_UNIT_BYTES,
        Option.RCVBUF: RECEIVE_BUFFER_PACKETS * BUFFER_UNIT_BYTES,
        Option.IPTOS: dscp << 2 if spec.qos else 0,
        Option.CONNTIMEO: CONNECT_TIMEOUT_MS,
        Option.PEERIDLETIMEO: PEER_IDLE_TIMEOUT_MS,
    }


def _optional(spec: SendSpec) -> dict[Option, Value]:
    """Return the options of optional settings. A listener sends no stream ID: its far end does."""
    chosen: dict[Option, Value] = {}
    if spec.peer_version_lowest is not None:
        chosen[Option.MINVERSION] = _version_number(spec.peer_version_lowest)
    if spec.is_call and spec.stream_id:
        chosen[Option.STREAMID] = spec.stream_id
    return chosen


def _packets_kept(spec: SendSpec, bitrate_bps: int | None, *, is_constant_bitrate: bool) -> int:
    if bitrate_bps is None:
        return max(BUFFER_PACKETS_LOWEST, buffer_packets(latency_ms=spec.latency_ms, bitrate_bps=BITRATE_BPS_ASSUMED))
    return buffer_packets(latency_ms=spec.latency_ms, bitrate_bps=bitrate_bps, is_constant_bitrate=is_constant_bitrate)


def _version_number(version: str) -> int:
    """Return a version as SRTO_MINVERSION takes it, 0xXXYYZZ."""
    major, minor, patch = map(int, version.split("."))
    return major << 16 | minor << 8 | patch


def agreed_options(spec: SendSpec) -> dict[Option, Value]:
    """Return the options that both ends agree on in the handshake.

    They include the passphrase: never log or show them.
    """
    agreed: dict[Option, Value] = {Option.RCVLATENCY: spec.latency_ms, Option.PEERLATENCY: spec.latency_ms}
    if spec.encryption is not None:
        agreed[Option.PBKEYLEN] = spec.encryption.key_bits // 8
        agreed[Option.PASSPHRASE] = spec.encryption.passphrase.reveal()
    return agreed


def gstreamer_uri_parameters(
    spec: SendSpec, *, dscp: int, bitrate_bps: int | None = None, is_constant_bitrate: bool = False
) -> dict[str, str]:
    """Return the options as parameters of srtsink's URI, `mode` first. Latency and encryption are properties there."""
    made = options(spec, dscp=dscp, bitrate_bps=bitrate_bps, is_constant_bitrate=is_constant_bitrate)
    return {"mode": spec.endpoint.mode.value, **uri_parameters(made)}
