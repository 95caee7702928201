"""Ten made-up streams in mixed states and their events: every phase, hostile names."""

from __future__ import annotations

import time

import msgspec

from app.domain.events import EventKind, LogEntry, Refusal
from app.domain.secret import Secret
from app.domain.snapshot import Snapshot
from app.domain.spec import (
    BarsSource,
    CallerEndpoint,
    Encryption,
    FileSource,
    ListenerEndpoint,
    MulticastSource,
    SendSpec,
)
from app.domain.status import Phase, Reason
from tests.web.fake_streams import APPLIED, LONG_NAME, PASSPHRASE, SCRIPT_NAME, make_peer, make_snapshot


def mixed_streams() -> list[Snapshot]:
    """Ten streams in mixed states."""
    return [*_calling_in_vain(), *_dropping(), *_on_air(), *_without_far_end(), *_with_odd_names(), *_at_rest()]


def _calling_in_vain() -> list[Snapshot]:
    """Return a stream that calls with a wrong passphrase."""
    secret = Encryption(256, Secret(PASSPHRASE))
    return [
        make_snapshot(
            "arenab",
            SendSpec(
                CallerEndpoint("192.0.2.40", 9000),
                MulticastSource("239.20.1.7", 1234, "eno2"),
                "Arena feed B",
                encryption=secret,
            ),
            Phase.BACKING_OFF,
            reason=Reason.WRONG_PASSPHRASE,
            retry_in_s=24.3,
            detail="Incorrect passphrase",
        ),
    ]


def _dropping() -> list[Snapshot]:
    """Return a stream that drops packets."""
    secret = Encryption(256, Secret(PASSPHRASE))
    now = time.time()
    return [
        make_snapshot(
            "parlmt",
            SendSpec(
                ListenerEndpoint(10002),
                MulticastSource("239.20.1.2", 1234, "eno2"),
                "Parliament clean",
                overhead_percent=3,
                encryption=secret,
            ),
            Phase.DELIVERING,
            peers=(
                make_peer(
                    1,
                    rtt_ms=83.4,
                    packets_dropped_total=14,
                    packets_retransmitted_total=16_700,
                    key_bits=256,
                    encryption_state="secured",
                    negotiated_latency_ms=200,
                    send_buffer_ms=96,
                ),
            ),
            payload_mbps=12.02,
            retransmitted=33,
            refusals=(Refusal("203.0.113.9:41000", Reason.WRONG_PASSPHRASE, 12, now - 900, now - 60),),
            applied=msgspec.structs.replace(APPLIED, overhead_percent=5, key_bits=256),
            notices=("The system gave a send buffer of 212 kB instead of 1.2 MB; run network-tuning.sh.",),
        ),
    ]


def _on_air() -> list[Snapshot]:
    """Return two streams that deliver."""
    secret = Encryption(256, Secret(PASSPHRASE))
    bars = FileSource("bars_and_tone.ts")
    return [
        make_snapshot(
            "lineup",
            SendSpec(ListenerEndpoint(10001), bars, "Line-up bars"),
            Phase.DELIVERING,
            peers=(make_peer(1), make_peer(2, negotiated_latency_ms=500)),
            payload_mbps=8.01,
            since_s=280_920,
            file_bitrate_bps=8_000_000,
        ),
        make_snapshot(
            "umearn",
            SendSpec(
                CallerEndpoint("umea.example.net", 9002),
                MulticastSource("239.20.1.1", 1234),
                "Umeå return",
                encryption=secret,
            ),
            Phase.DELIVERING,
            peers=(make_peer(1, rtt_ms=31.0, key_bits=256, encryption_state="secured"),),
            payload_mbps=21.26,
            retransmitted=8,
            since_s=41_409,
        ),
    ]


def _without_far_end() -> list[Snapshot]:
    """Return a stream that waits, one without input, and one that failed."""
    secret = Encryption(256, Secret(PASSPHRASE))
    now = time.time()
    return [
        make_snapshot(
            "guestx",
            SendSpec(
                ListenerEndpoint(10004), FileSource("ird/h264_1080i25_15M.ts"), "Guest IRD test", encryption=secret
            ),
            Phase.WAITING,
            refusals=(Refusal("203.0.113.9:41000", Reason.PASSPHRASE_REQUIRED, 3, now - 300, now - 200),),
        ),
        make_snapshot(
            "stallx",
            SendSpec(ListenerEndpoint(10005), MulticastSource("239.20.1.9", 1234, "eno2", "rtp"), "Stadium wide"),
            Phase.STALLED,
            reason=Reason.NO_INPUT,
            peers=(make_peer(1),),
            since_s=63,
        ),
        make_snapshot(
            "failed",
            SendSpec(ListenerEndpoint(10006), FileSource("old/removed.ts"), "Archive loop"),
            Phase.FAILED,
            reason=Reason.FILE_MISSING,
            since_s=7000,
        ),
    ]


def _with_odd_names() -> list[Snapshot]:
    """Names that a page must show safely, such as one with a script."""
    return [
        make_snapshot(
            "evilxx",
            SendSpec(ListenerEndpoint(10007), FileSource(f"{SCRIPT_NAME.replace('/', '∕')}.ts"), SCRIPT_NAME),
            Phase.WAITING,
        ),
        make_snapshot(
            "longxx",
            SendSpec(CallerEndpoint("2001:db8:1234:5678:9abc:def0:1234:5678", 65535), BarsSource(), LONG_NAME.strip()),
            Phase.DELIVERING,
            peers=(make_peer(1, rtt_ms=0.3, negotiated_latency_ms=None, send_buffer_ms=None, flight_packets=None),),
            payload_mbps=5.2,
        ),
    ]


def _at_rest() -> list[Snapshot]:
    """Return a stream that ended."""
    bars = FileSource("bars_and_tone.ts")
    return [
        make_snapshot(
            "stoppd",
            SendSpec(ListenerEndpoint(10008), bars, ""),
            Phase.STOPPED,
            reason=Reason.END_OF_FILE,
            since_s=120,
        ),
    ]


def mixed_log(streams: list[Snapshot]) -> list[LogEntry]:
    """Events, newest first, one of them repeated."""
    now = time.time()
    name_of = {snapshot.key: snapshot.spec.label() for snapshot in streams}
    lines = [
        ("arenab", "refused", "refused by 192.0.2.40: wrong passphrase", 5, 24),
        ("parlmt", "notice", "the file was replaced; the new file is played from the next loop", 1, 125),
        ("guestx", "refused", "refused 203.0.113.9:41000: no passphrase", 3, 470),
        ("evilxx", "order", "start requested", 1, 900),
        ("failed", "phase", "failed: file missing", 1, 7000),
        ("lineup", "connected", "198.51.100.24:50113 connected", 1, 9000),
    ]
    return [
        LogEntry(
            now - age_s,
            key,
            name_of[key],
            EventKind(kind),
            text,
            count,
            now - age_s - 600 if count > 1 else now - age_s,
        )
        for key, kind, text, count, age_s in lines
    ]
