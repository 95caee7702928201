"""Checks of the path and of the passphrase. No check affects the stream under test."""

from __future__ import annotations

import contextlib
import socket
import sys
from typing import Final

import msgspec

from app.domain.constants import SRT_HEADER_BYTES, SRT_PAYLOAD_BYTES
from app.domain.lineup.measured import Check, CheckVerdict
from app.domain.snapshot import Snapshot
from app.domain.spec import HostPort, SendSpec
from app.domain.status import Reason
from app.probes.run import ProbeFailed, run
from app.settings import PROJECT_FOLDER

_ANSWER_WITHIN_S: Final = 15.0
# linux/in.h and linux/in6.h; Python's socket module has no names for them.
_IP_MTU: Final = 14
_IPV6_MTU: Final = 24
_IPV6_HEADER_MORE_BYTES: Final = 20


class _Refusal(msgspec.Struct, frozen=True):
    state: str
    reason: str = ""


def check_path(snapshot: Snapshot) -> list[Check]:
    """Make the checks of a send stream's path: passphrase, DSCP, MTU."""
    spec = snapshot.spec
    if not isinstance(spec, SendSpec):
        return []
    peers = snapshot.sample.peers if snapshot.sample is not None else []
    return [_wrong_passphrase(spec), _dscp(snapshot), *(_mtu(peer.address) for peer in peers[:1])]


def _wrong_passphrase(spec: SendSpec) -> Check:
    """Make one more connection, with a random passphrase, to the end that listens."""
    title, asked = "Wrong passphrase", "one call with a wrong passphrase"
    if spec.encryption is None:
        return Check(title, "–", "the stream is not encrypted", "refused", CheckVerdict.SKIPPED)
    target = spec.endpoint.remote() or HostPort("127.0.0.1", spec.endpoint.local_port() or 0)
    got, verdict = _judged(_call_with_wrong_passphrase(target))
    return Check(f"{title}, {target}", asked, got, "refused", verdict)


def _judged(refusal: _Refusal | None) -> tuple[str, CheckVerdict]:
    match refusal:
        case _Refusal("refused", Reason.WRONG_PASSPHRASE):
            return "refused", CheckVerdict.PASS
        case _Refusal("refused", reason):
            return f"refused before the passphrase was compared: {reason.replace('_', ' ')}", CheckVerdict.SKIPPED
        case _Refusal("accepted"):
            return "accepted: this end does not enforce encryption", CheckVerdict.FAIL
        case _Refusal("silent"):
            return "no answer: this end accepts no second call", CheckVerdict.SKIPPED
        case _:
            return "the call could not be made", CheckVerdict.SKIPPED


def _call_with_wrong_passphrase(target: HostPort) -> _Refusal | None:
    argv = ("env", "-C", str(PROJECT_FOLDER), sys.executable, "-m", "app.srt.wrong_passphrase", target.host)
    try:
        outcome = run((*argv, str(target.port)), timeout_s=_ANSWER_WITHIN_S)
        return msgspec.json.decode(outcome.stdout, type=_Refusal)
    except (ProbeFailed, msgspec.DecodeError):
        return None


def _dscp(snapshot: Snapshot) -> Check:
    sent = snapshot.sample.applied.dscp if snapshot.sample is not None else None
    asked = "not known" if sent is None else f"sent as DSCP {sent}"
    why = "not measured: libsrt owns the receiving socket and does not report the DSCP; capture it at the far end"
    return Check("DSCP as received", asked, why, "as sent", CheckVerdict.SKIPPED)


def _mtu(address: str) -> Check:
    """Check the path MTU as the kernel knows it.

    libsrt's packets may not be fragmented, so routers report a lower MTU.
    """
    host, _, port = address.rpartition(":")
    is_ipv6 = host.startswith("[")
    needed = SRT_PAYLOAD_BYTES + SRT_HEADER_BYTES + (_IPV6_HEADER_MORE_BYTES if is_ipv6 else 0)
    title, asked, limit = f"MTU, {address}", f"{needed} bytes", f"at least {needed} bytes"
    found = _kernel_mtu(host.strip("[]"), int(port), is_ipv6=is_ipv6)
    if found is None:
        return Check(title, asked, "no route", limit, CheckVerdict.UNKNOWN)
    verdict = CheckVerdict.PASS if found >= needed else CheckVerdict.REMARK
    return Check(title, asked, f"{found} bytes", limit, verdict)


def _kernel_mtu(host: str, port: int, *, is_ipv6: bool) -> int | None:
    """Return IP_MTU of a connected socket that sends nothing."""
    family = socket.AF_INET6 if is_ipv6 else socket.AF_INET
    level, option = (socket.IPPROTO_IPV6, _IPV6_MTU) if is_ipv6 else (socket.IPPROTO_IP, _IP_MTU)
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as connected:
        connected.connect((host, port))
        return connected.getsockopt(level, option)
    return None
