"""A receive stream with an outage, losses, a recording, a picture and loudness. Its figures are made up."""

from __future__ import annotations

import functools
import time

from app.domain.figures.lateness import Lateness
from app.domain.figures.live_report import LiveReport
from app.domain.figures.outputs import ForwardReport, OutputsReport, RecordingReport
from app.domain.figures.reception import DeliveryPoint, ErrorKind, Gauges, ReceivedCounters, Reception
from app.domain.figures.watching import DecoderReport, LoudnessReport, PictureReport, SpellReport
from app.domain.snapshot import Snapshot
from app.domain.spec import Forward, ListenerEndpoint, ReceiveSpec, Record
from app.domain.status import Phase
from app.mpegts.inspect.live.analyser import LiveAnalyser
from tests.instruments.ts_maker import Recipe, make_ts
from tests.web.fake_streams import make_snapshot

KEY = "obvan3"
_PACKETS_S = 760


def make_reception(key: str = KEY) -> Snapshot:
    """Return the stream's snapshot."""
    now = time.time()
    spec = ReceiveSpec(
        ListenerEndpoint(10_009),
        name="OB van 3",
        record=Record("ob-van-3", file_minutes=60),
        forward=Forward("239.1.1.9", 1234),
        picture=True,
        loudness=True,
    )
    reception = Reception(
        since=now - 900,
        second=make_points(1)[-1],
        received=ReceivedCounters(
            900_000_000, 930_000_000, 684_000, packets_recovered=4100, packets_dropped=21, continuity_errors=9
        ),
        seconds=900,
        lateness=Lateness(p50=4.0, p99=11.0, max=18.4),
        longest_gap_ms=612.0,
        longest_gap_at=now - 120,
        longest_freeze_ms=604.0,
        longest_freeze_at=now - 120,
        lowest_headroom_ms=61,
        error_seconds={ErrorKind.LOST: 3, ErrorKind.FROZEN: 1, ErrorKind.CONTINUITY_NETWORK: 3},
        last_error_at={ErrorKind.LOST: now - 200, ErrorKind.FROZEN: now - 120, ErrorKind.CONTINUITY_NETWORK: now - 200},
    )
    return make_snapshot(
        key,
        spec,
        Phase.DELIVERING,
        since_s=900,
        reception=reception,
        analysis=_analysis(),
        outputs=_outputs(now),
    )


@functools.cache
def _analysis() -> LiveReport:
    """Return the analyser's report on three seconds of a generated stream."""
    data = make_ts(Recipe(seconds=3.0, tdt=True, sdt_names={1: "Channel 1"}))
    began = time.time() - 3
    analyser = LiveAnalyser(began)
    for at in range(0, len(data), 1316):
        analyser.feed(data[at : at + 1316], began + 3 * at / len(data))
    return analyser.report(began + 3)


def _outputs(now: float) -> OutputsReport:
    decoder = DecoderReport(is_running=True)
    return OutputsReport(
        recording=RecordingReport("ob-van-3_20270115T080000Z.ts", 900_000_000, 1, 900_000_000),
        forward=ForwardReport(684_000, 900_000_000),
        picture=PictureReport(decoder, 256, now - 2, frozen=SpellReport(spells=1, seconds=14.0, last_at=now - 400)),
        loudness=LoudnessReport(decoder, 257, now - 900, -22.4, -23.1, -23.0, 5.2, -3.1),
    )


def make_points(seconds: int) -> list[DeliveryPoint]:
    """Return the last seconds of delivery: an outage two minutes ago, and losses before that."""
    now = time.time()
    return [_point(now - age, age) for age in range(seconds, 0, -1)]


def _point(at: float, age: int) -> DeliveryPoint:
    lost, late_ms = 0, 9.0 + age % 7
    errors: tuple[ErrorKind, ...] = ()
    if age in (198, 199, 200):
        lost, errors = 7, (ErrorKind.LOST, ErrorKind.CONTINUITY_NETWORK)
    if age == 120:
        late_ms, errors = 604.0, (ErrorKind.FROZEN,)
    received = ReceivedCounters(1_000_000, 1_034_000, _PACKETS_S, packets_recovered=4, packets_dropped=lost)
    gauges = Gauges(1, 250, 190, 48.0, 50.0, 53.0, 3)
    frozen_ms = late_ms if age == 120 else 0.0
    return DeliveryPoint(at, 1, received, gauges, late_ms, frozen_ms, frozen_ms, 6.0, 2.5, errors)
