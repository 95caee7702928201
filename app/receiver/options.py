"""The libsrt options of a receive stream."""

from __future__ import annotations

from typing import Final

from app.domain.constants import (
    BITRATE_BPS_ASSUMED,
    BUFFER_PACKETS_LOWEST,
    BUFFER_UNIT_BYTES,
    CONNECT_TIMEOUT_MS,
    PEER_IDLE_TIMEOUT_MS,
    RTT_MS_ASSUMED,
    SRT_PAYLOAD_BYTES,
)
from app.domain.spec import ReceiveSpec
from app.srt.options import Option, Value

# The sender's part of the buffers: it sends nothing but control packets.
_SEND_BUFFER_BYTES: Final = 64 * BUFFER_UNIT_BYTES


def receiver_options(spec: ReceiveSpec, *, dscp: int) -> dict[Option, Value]:
    """Return the options of a receiver without its passphrase. `dscp` marks its acknowledgements and loss reports."""
    packets = max(BUFFER_PACKETS_LOWEST, _packets_kept(spec.latency_ms))
    return {
        Option.RCVSYN: False,
        Option.SNDSYN: False,
        Option.RCVLATENCY: spec.latency_ms,
        Option.TLPKTDROP: True,
        Option.NAKREPORT: True,
        Option.FC: packets,
        Option.RCVBUF: packets * BUFFER_UNIT_BYTES,
        Option.SNDBUF: _SEND_BUFFER_BYTES,
        Option.IPTOS: dscp << 2,
        Option.CONNTIMEO: CONNECT_TIMEOUT_MS,
        Option.PEERIDLETIMEO: PEER_IDLE_TIMEOUT_MS,
    }


def _packets_kept(latency_ms: int) -> int:
    """Return the packets that wait to be played, doubled for packets that wait for a repair."""
    return 2 * round((latency_ms + RTT_MS_ASSUMED / 2) * BITRATE_BPS_ASSUMED / 8 / SRT_PAYLOAD_BYTES / 1000)


def secret_options(spec: ReceiveSpec) -> dict[Option, Value]:
    """Return passphrase and key length. Never log or show the result."""
    if spec.encryption is None:
        return {}
    return {
        Option.PBKEYLEN: spec.encryption.key_bits // 8,
        Option.PASSPHRASE: spec.encryption.passphrase.reveal(),
    }
