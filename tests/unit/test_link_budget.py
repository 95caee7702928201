"""What a link must carry and how long it may fail, with the same figure on every page and in every answer."""

from __future__ import annotations

import msgspec
import pytest

from app.domain.advice.live import advice_for_live
from app.domain.advice.recommendation import Basis, Figure, Link, expect
from app.domain.advice.words import bandwidth_sentence
from app.domain.link_budget import bandwidth_needed_bps, burst_repaired_ms, outage_survived_ms, shown_mbps
from app.media.analysis import AnalysisPhase, AnalysisState
from app.web.presenters.link_budget import present_link_budget
from app.web.presenters.machine import present_media_info
from tests.unit.test_media_analysis import NOTHING

LATENCY_MS = 200
RTT_MS = 40.0


def test_the_bandwidth_needed_counts_headers_and_the_overhead_that_is_applied() -> None:
    # 1316 bytes of payload travel in 1360; 25 % for retransmissions come on top.
    assert bandwidth_needed_bps(8_000_000, 25) == round(8_000_000 * 1360 / 1316 * 1.25)
    assert bandwidth_needed_bps(8_000_000, 1) == bandwidth_needed_bps(8_000_000, 5)


def test_a_burst_is_repaired_with_the_overhead_that_is_applied() -> None:
    assert burst_repaired_ms(400, 25) == 100
    assert burst_repaired_ms(400, 1) == burst_repaired_ms(400, 5) == 20


@pytest.mark.parametrize(("latency_ms", "rtt_ms", "survived_ms"), [(250, 50, 175), (600, 50, 525), (60, 40, 0)])
def test_an_outage_is_survived_up_to_the_latency_less_a_round_trip(
    latency_ms: int, rtt_ms: float, survived_ms: float
) -> None:
    assert outage_survived_ms(latency_ms, rtt_ms) == survived_ms


@pytest.mark.parametrize(("overhead_percent", "needed_mbps"), [(25, 10.33), (3, 8.68)])
def test_the_form_the_media_page_the_network_test_and_the_advice_say_one_number(
    overhead_percent: int, needed_mbps: float
) -> None:
    bitrate_bps = 8_000_000
    form = present_link_budget(
        latency_ms=LATENCY_MS, overhead_percent=overhead_percent, bitrate_bps=bitrate_bps, rtt_ms=None
    )
    assert form.needed_mbps == needed_mbps
    assert f"Needs {needed_mbps:.2f} Mb/s." in form.text
    analysis = AnalysisState(AnalysisPhase.DONE, analysis=msgspec.structs.replace(NOTHING, bitrate_bps=bitrate_bps))
    assert present_media_info(analysis, overhead_percent).needed_mbps == needed_mbps
    link = Link(Figure(RTT_MS, Basis.MEASURED, "a test"), bitrate_bps)
    tested = expect(link, LATENCY_MS, overhead_percent)
    assert shown_mbps(tested.bandwidth_needed_bps) == needed_mbps
    live = advice_for_live(
        rtt_ms=RTT_MS,
        retransmitted_percent=0.0,
        latency_ms=LATENCY_MS,
        overhead_percent=overhead_percent,
        bitrate_bps=bitrate_bps,
    )
    assert shown_mbps(live.expected.bandwidth_needed_bps) == needed_mbps
    assert f"{needed_mbps:g} Mb/s" in bandwidth_sentence(tested, live.advice)
