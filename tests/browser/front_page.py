"""The streams of the README's picture: one fault, one warning, the rest in order. Their figures are made up."""

from __future__ import annotations

import time

from app.domain.events import EventKind, LogEntry
from app.domain.secret import Secret
from app.domain.snapshot import Snapshot
from app.domain.spec import CallerEndpoint, Encryption, ListenerEndpoint, MulticastSource, SendSpec
from app.domain.status import Phase
from app.utils import System
from tests.web.fake_streams import PASSPHRASE, make_peer, make_snapshot
from tests.web.mixed_streams import mixed_streams

# Key, name, far end, group, payload in Mb/s, RTT in ms, resent packets a second, seconds on air.
_ON_AIR = (
    ("arenaa", "Arena feed A", CallerEndpoint("192.0.2.40", 9000), "239.20.1.6", 14.98, 24.1, 3, 12_900),
    ("studio", "Studio 4 clean", ListenerEndpoint(10003), "239.20.1.4", 9.97, 8.3, 0, 93_140),
    ("harbor", "Harbour camera", ListenerEndpoint(10006), "239.20.1.11", 6.02, 41.7, 6, 7_310),
    ("press1", "Press room", CallerEndpoint("press.example.net", 9010), "239.20.1.12", 8.04, 17.9, 0, 52_200),
    ("chapel", "Chapel", ListenerEndpoint(10007), "239.20.1.13", 4.51, 33.2, 1, 5_820),
)
_FROM_MIXED = ("stallx", "parlmt", "lineup", "umearn", "guestx")


def front_page_streams() -> list[Snapshot]:
    """Ten streams, of which one is stalled and one has too little latency."""
    secret = Encryption(256, Secret(PASSPHRASE))
    known = {snapshot.key: snapshot for snapshot in mixed_streams()}
    made = []
    for key, name, endpoint, group, payload_mbps, rtt_ms, resent, seconds in _ON_AIR:
        spec = SendSpec(endpoint, MulticastSource(group, 1234, "eno2"), name, encryption=secret)
        peer = make_peer(1, rtt_ms=rtt_ms, key_bits=256, encryption_state="secured", packets_retransmitted_total=resent)
        made.append(
            make_snapshot(
                key,
                spec,
                Phase.DELIVERING,
                peers=(peer,),
                payload_mbps=payload_mbps,
                retransmitted=resent,
                since_s=seconds,
            )
        )
    return [known[key] for key in _FROM_MIXED] + made


def front_page_log() -> list[LogEntry]:
    """Return the latest events of these streams, newest first."""
    now = time.time()
    lines = (
        ("stallx", "Stadium wide", EventKind.PHASE, "stalled: no input", 63),
        ("parlmt", "Parliament clean", EventKind.NOTICE, "14 packets dropped, too late to repair", 245),
        ("chapel", "Chapel", EventKind.CONNECTED, "198.51.100.31:50120 connected", 5_790),
        ("chapel", "Chapel", EventKind.ORDER, "start requested", 5_820),
        ("harbor", "Harbour camera", EventKind.CONNECTED, "203.0.113.77:40112 connected", 7_300),
    )
    return [LogEntry(now - age_s, key, name, kind, text, 1, now - age_s) for key, name, kind, text, age_s in lines]


def quiet_machine() -> System:
    """Return a machine with little load, so that the picture does not show the host on which it was taken."""
    return System(
        hostname="mcr-a",
        user="mcr-srt",
        platform="Debian GNU/Linux 12",
        uptime_s=1_900_000,
        cpu_percent=31.4,
        cpu_count=8,
        memory_used_bytes=5 * 10**9,
        memory_total_bytes=16 * 10**9,
        disk_used_percent=41.0,
        disk_free_bytes=280 * 10**9,
        addresses=["192.0.2.2"],
    )
