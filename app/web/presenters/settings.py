"""A stream's settings side by side: requested, applied by libsrt, and negotiated with the peers."""

from __future__ import annotations

from typing import assert_never

from app.domain.constants import OVERHEAD_PERCENT_LOWEST
from app.domain.figures.sample import NOTHING_APPLIED, Applied, Peer
from app.domain.snapshot import Snapshot
from app.domain.spec import Encryption, Engine, ReceiveSpec, RelaySpec, SendSpec
from app.web.presenters.stream_views import SettingView


def build_settings(snapshot: Snapshot) -> list[SettingView]:
    """Return the rows of the settings table; `applied` and `negotiated` are None if nothing is known yet."""
    spec, applied = snapshot.spec, snapshot.applied
    peers = snapshot.sample.peers if snapshot.sample else []
    match spec:
        case SendSpec():
            return [
                _latency(spec.latency_ms, applied, peers),
                _overhead(spec.overhead_percent, applied),
                _cap(spec.overhead_percent, applied, peers),
                _encryption(spec.encryption, applied, peers),
                _qos(spec, applied),
                _switch("Too-late drop", applied.too_late_packet_drop),
                _switch("NAK reports", applied.nak_reports),
                _smoothing(spec, snapshot),
                _engine(spec, applied),
                *_peer_version(spec, peers),
                *_stream_id(spec, peers),
            ]
        case ReceiveSpec():
            return [_latency(spec.latency_ms, applied, peers), _encryption(spec.encryption, applied, peers)]
        case RelaySpec():
            return []
        case _:
            assert_never(spec)


def _smoothing(spec: SendSpec, snapshot: Snapshot) -> SettingView:
    is_direct = snapshot.applied.engine == Engine.DIRECT
    in_force = "none" if is_direct else f"{spec.smoothing_latency_ms} ms"
    return SettingView(
        name="Smoothing",
        asked=f"{spec.smoothing_latency_ms} ms",
        applied=in_force if snapshot.sample else None,
        negotiated=None,
        note="The direct engine keeps the source's own times, so smoothing has no effect." if is_direct else None,
        differs=False,
    )


def _peer_version(spec: SendSpec, peers: list[Peer]) -> list[SettingView]:
    """Return the lowest admitted version, next to the connected ones; no row if no version was set."""
    if spec.peer_version_lowest is None:
        return []
    return [
        SettingView(
            name="Lowest libsrt of the far end",
            asked=spec.peer_version_lowest,
            applied=None,
            negotiated=", ".join(sorted({peer.peer_version for peer in peers if peer.peer_version})) or None,
            note=None,
            differs=False,
        )
    ]


def _stream_id(spec: SendSpec, peers: list[Peer]) -> list[SettingView]:
    """Return the stream ID of a call, next to the one in force on its connection; no row without a stream ID."""
    if not (spec.is_call and spec.stream_id):
        return []
    in_force = next((peer.stream_id for peer in peers), None)
    return [
        SettingView(
            name="Stream ID",
            asked=spec.stream_id,
            applied=in_force,
            negotiated=None,
            note=None,
            differs=in_force not in (None, spec.stream_id),
        )
    ]


def _engine(spec: SendSpec, applied: Applied) -> SettingView:
    return SettingView(
        name="Engine",
        asked=spec.engine,
        applied=applied.engine,
        negotiated=None,
        note=applied.engine_reason or None,
        differs=False,
    )


def _latency(asked_ms: int, applied: Applied, peers: list[Peer]) -> SettingView:
    applied_ms = applied.latency_ms
    agreed = sorted({peer.negotiated_latency_ms for peer in peers if peer.negotiated_latency_ms is not None})
    raised = any(latency_ms > asked_ms for latency_ms in agreed)
    return SettingView(
        name="Latency",
        asked=f"{asked_ms} ms",
        applied=None if applied_ms is None else f"{applied_ms} ms",
        negotiated=f"{' / '.join(map(str, agreed))} ms" if agreed else None,
        note="The far end requests more; SRT uses the higher of the two." if raised else None,
        differs=raised or applied_ms not in (None, asked_ms, *agreed),
    )


def _overhead(asked: int, applied: Applied) -> SettingView:
    in_force = applied.overhead_percent
    note = None
    if asked < OVERHEAD_PERCENT_LOWEST:
        note = f"libsrt accepts nothing below {OVERHEAD_PERCENT_LOWEST} %."
    return SettingView(
        name="Overhead",
        asked=f"{asked} %",
        applied=None if in_force is None else f"{in_force} %",
        negotiated=None,
        note=note,
        differs=in_force not in (None, asked),
    )


def _cap(overhead_percent: int, applied: Applied, peers: list[Peer]) -> SettingView:
    caps = sorted({round(peer.max_bandwidth_mbps, 1) for peer in peers if peer.max_bandwidth_mbps is not None})
    is_known = applied != NOTHING_APPLIED
    is_relative = applied.max_bandwidth_bytes == 0
    return SettingView(
        name="Sending cap",
        asked=f"input + {overhead_percent} %",
        applied=_cap_text(applied.max_bandwidth_bytes, applied.overhead_percent) if is_known else None,
        negotiated=f"{' / '.join(map(str, caps))} Mb/s" if caps else None,
        note=None if is_relative or not is_known else "The cap does not follow the input, so overhead has no effect.",
        differs=is_known and not is_relative,
    )


def _cap_text(max_bandwidth_bytes: int | None, overhead_percent: int | None) -> str:
    if max_bandwidth_bytes is None:
        return "unknown"
    if max_bandwidth_bytes == 0:
        return f"input + {overhead_percent} %" if overhead_percent is not None else "input + overhead"
    return "none" if max_bandwidth_bytes < 0 else f"{max_bandwidth_bytes * 8 / 1e6:.1f} Mb/s"


def _encryption(encryption: Encryption | None, applied: Applied, peers: list[Peer]) -> SettingView:
    asked_bits = encryption.key_bits if encryption else None
    applied_bits = applied.key_bits if asked_bits else None
    states = sorted({peer.encryption_state for peer in peers if peer.encryption_state})
    unsecured = asked_bits is not None and any(state != "secured" for state in states)
    return SettingView(
        name="Encryption",
        asked=_aes(asked_bits),
        applied=(_aes(applied_bits) if applied_bits else None)
        if asked_bits
        else ("none" if applied != NOTHING_APPLIED else None),
        negotiated=", ".join(state.replace("_", " ") for state in states) or None,
        note="A connection is not secured." if unsecured else None,
        differs=unsecured or (applied_bits is not None and applied_bits != asked_bits),
    )


def _aes(bits: int | None) -> str:
    return "none" if bits is None else f"AES-{bits}"


def _qos(spec: SendSpec, applied: Applied) -> SettingView:
    dscp, wanted = applied.dscp, spec.qos
    ignored = dscp is not None and wanted != (dscp != 0)
    return SettingView(
        name="QoS",
        asked="on" if wanted else "off",
        applied=None if dscp is None else f"DSCP {dscp}",
        negotiated=None,
        note="The system rejected the DSCP mark." if ignored and wanted else None,
        differs=ignored,
    )


def _switch(name: str, in_force: bool | None) -> SettingView:
    return SettingView(
        name=name,
        asked="on",
        applied=None if in_force is None else ("on" if in_force else "off"),
        negotiated=None,
        note=None,
        differs=in_force is False,
    )
