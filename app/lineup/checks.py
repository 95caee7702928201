"""Checks of the configuration test that do not change the stream, and a restart of it if the plan allows that."""

from __future__ import annotations

import time
from typing import Final

from app.domain.figures.sample import Peer
from app.domain.lineup.measured import Check, CheckVerdict
from app.domain.lineup.plan import Plan
from app.domain.snapshot import Snapshot
from app.domain.spec import SendSpec
from app.domain.status import Order, Phase
from app.lineup.ends import CannotRead, ReceiverEnd, Streams

_BACK_WITHIN_S: Final = 20.0
_BACK_GOOD_S: Final = 6.0
_LOOK_EVERY_S: Final = 0.1
# Releases of libsrt whose handshake and key exchange have published defects (docs/security.md).
_OLDEST_GOOD_VERSION: Final = (1, 4, 2)
# From this release on, every published hole is closed. Distributions fix older releases without a new number.
_FIXED_VERSION: Final = (1, 5, 7)
_LAST_SECONDS: Final = 5


def check_sender(plan: Plan, snapshot: Snapshot) -> list[Check]:
    """Check what the sender reports about its connections: encryption, negotiated latency, the far end's version."""
    peers = snapshot.sample.peers if snapshot.sample is not None else []
    if not isinstance(snapshot.spec, SendSpec):
        return []
    if not peers:
        is_off_air = snapshot.status.order is Order.STOP
        got = "the stream is off air: start it before the test" if is_off_air else "no receiver is connected"
        return [Check("Connection", "a receiver", got, "at least one", CheckVerdict.FAIL)]
    checks = []
    for peer in peers:
        checks += [_encryption(snapshot.spec, peer), _latency(plan, snapshot.spec, peer), _version(peer)]
    return checks


def _encryption(spec: SendSpec, peer: Peer) -> Check:
    asked = f"AES-{spec.encryption.key_bits}" if spec.encryption is not None else "none"
    if spec.encryption is None:
        return Check(f"Encryption, {peer.address}", asked, "none", "as requested", CheckVerdict.PASS)
    got = f"AES-{peer.key_bits}" if peer.key_bits else "none"
    is_secured = peer.encryption_state in ("secured", None) and peer.key_bits == spec.encryption.key_bits
    return Check(
        f"Encryption, {peer.address}", asked, got, asked, CheckVerdict.PASS if is_secured else CheckVerdict.FAIL
    )


def _latency(plan: Plan, spec: SendSpec, peer: Peer) -> Check:
    title, limit = f"Negotiated latency, {peer.address}", f"at least {plan.limits.latency_rtt_ratio_min:g} × RTT"
    if peer.negotiated_latency_ms is None:
        return Check(title, f"{spec.latency_ms} ms", "not known", limit, CheckVerdict.UNKNOWN)
    got = f"{peer.negotiated_latency_ms} ms at {peer.rtt_ms:.1f} ms RTT"
    is_enough = peer.negotiated_latency_ms >= plan.limits.latency_rtt_ratio_min * peer.rtt_ms
    return Check(title, f"{spec.latency_ms} ms", got, limit, CheckVerdict.PASS if is_enough else CheckVerdict.REMARK)


def _version(peer: Peer) -> Check:
    title, limit = f"SRT version, {peer.address}", ".".join(map(str, _OLDEST_GOOD_VERSION)) + " or later"
    if not peer.peer_version:
        return Check(title, "reported", "not reported", limit, CheckVerdict.UNKNOWN)
    try:
        parts = tuple(int(part) for part in peer.peer_version.split(".")[:3])
    except ValueError:
        return Check(title, "reported", peer.peer_version[:40], limit, CheckVerdict.UNKNOWN)
    verdict = CheckVerdict.PASS if parts >= _OLDEST_GOOD_VERSION else CheckVerdict.REMARK
    got = peer.peer_version
    if parts < _FIXED_VERSION:
        fixed = ".".join(map(str, _FIXED_VERSION))
        got += f"; holes that {fixed} closes are open unless the far end's distribution closed them"
    return Check(title, "reported", got, limit, verdict)


def check_receiver(plan: Plan, end: ReceiverEnd) -> list[Check]:
    """Check what the receiver reports about the connection: its latency, the higher of both ends' settings."""
    title, limit = "Negotiated latency at the receiver", f"at least {plan.limits.latency_rtt_ratio_min:g} × RTT"
    try:
        newest = next((each for each in reversed(end.read(_LAST_SECONDS)) if each.latency_ms is not None), None)
    except CannotRead as error:
        return [Check(title, "as the sender's", str(error), limit, CheckVerdict.UNKNOWN)]
    if newest is None or newest.latency_ms is None or newest.rtt_ms is None:
        return [Check(title, "as the sender's", "not connected", limit, CheckVerdict.UNKNOWN)]
    got = f"{newest.latency_ms} ms at {newest.rtt_ms:.1f} ms RTT"
    is_enough = newest.latency_ms >= plan.limits.latency_rtt_ratio_min * newest.rtt_ms
    return [Check(title, "as the sender's", got, limit, CheckVerdict.PASS if is_enough else CheckVerdict.REMARK)]


def check_restart(plan: Plan, streams: Streams, actor: str) -> list[Check]:
    """Restart the stream and measure the seconds until it delivers again, if the plan allows that."""
    title, limit = "Forced reconnect", f"delivers again within {_BACK_GOOD_S:g} s"
    if plan.stream is None or not plan.restart_stream:
        return [Check(title, "not allowed by the plan", "not measured", limit, CheckVerdict.SKIPPED)]
    began = time.monotonic()
    streams.restart(plan.stream, actor=actor)
    while (took_s := time.monotonic() - began) < _BACK_WITHIN_S:
        if streams.get(plan.stream).status.phase is Phase.DELIVERING:
            verdict = CheckVerdict.PASS if took_s <= _BACK_GOOD_S else CheckVerdict.REMARK
            return [Check(title, "one restart", f"delivered again after {took_s:.1f} s", limit, verdict)]
        time.sleep(_LOOK_EVERY_S)
    return [Check(title, "one restart", f"no delivery within {_BACK_WITHIN_S:g} s", limit, CheckVerdict.FAIL)]
