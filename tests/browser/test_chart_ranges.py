"""The past on a stream's page: zoom, pan, events, an address that names the range, and 72 hours without a wait."""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Sequence

import pytest

from app.domain.figures.summaries import FIGURES, Spread, Summary
from tests.browser.chrome import Browser
from tests.instruments.waiting import wait_for
from tests.web.fake_manager import FakeManager

KEPT_S = 72 * 3600


@pytest.fixture
def manager(manager: FakeManager) -> FakeManager:
    """Every stream has 72 hours of summaries."""

    def summaries(_key: str, start: float, end: float) -> Sequence[Summary]:
        first = int(start) // 10 * 10 + 10
        return [
            Summary(at, 10, {name: Spread(1.0, 2.0 + at % 7, 9.0) for name in FIGURES})
            for at in range(first, int(end) + 1, 10)
        ]

    manager.summaries = summaries  # type: ignore[method-assign,assignment]
    return manager


def shown(page: Browser) -> tuple[float, float]:
    low, high = page.js("const {min, max} = Chart.getChart('rtt-chart').scales.x; return [min, max]")
    return low, high


def wait_for_band(page: Browser) -> int:
    script = "return Chart.getChart('rtt-chart').data.datasets.at(-1).data.length"
    return int(wait_for(lambda: page.js(script), deadline_s=30, what="summaries in the chart"))


def test_three_days_are_one_click_away_and_drawn_in_less_than_a_second(page: Browser) -> None:
    page.open("/stream/lineup")
    page.find("#peers .peer")
    page.click("label[for=span-259200]")

    assert wait_for_band(page) > 1900
    low, high = shown(page)
    assert high - low == pytest.approx(KEPT_S, abs=2)
    took_ms = page.js(
        "const start = performance.now();"
        "for (const id of ['bitrate-chart', 'rtt-chart', 'loss-chart']) Chart.getChart(id).update('none');"
        "return performance.now() - start"
    )
    assert took_ms < 1000


def test_the_address_names_the_range_and_csv_saves_it(page: Browser) -> None:
    now = int(time.time())
    wanted = (now - 40_000, now - 30_000)
    page.open(f"/stream/lineup?from={wanted[0]}&to={wanted[1]}")

    assert wait_for_band(page) > 900
    assert shown(page) == wanted
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(str(page.find("#csv").get_attribute("href"))).query)
    assert (query["from"], query["to"], query["format"]) == ([str(wanted[0])], [str(wanted[1])], ["csv"])


def test_buttons_and_keys_zoom_and_pan_and_the_address_follows(page: Browser) -> None:
    now = int(time.time())
    page.open(f"/stream/lineup?from={now - 40_000}&to={now - 30_000}")
    wait_for_band(page)
    page.click("#zoom-in")
    assert shown(page) == (now - 37_500, now - 32_500)
    page.press("-")
    assert shown(page) == (now - 40_000, now - 30_000)
    page.click("#earlier")
    assert shown(page) == (now - 45_000, now - 35_000)
    page.press("]")
    assert page.js("return location.search") == f"?from={now - 40_000}&to={now - 30_000}"
    page.click("label[for=span-300]")
    assert page.js("return location.search") == ""
    wait_for(lambda: shown(page)[1] - shown(page)[0] == pytest.approx(300, abs=1), deadline_s=10, what="the present")


def test_a_drag_moves_and_ctrl_with_the_wheel_zooms_around_the_pointer(page: Browser) -> None:
    now = int(time.time())
    page.open(f"/stream/lineup?from={now - 40_000}&to={now - 30_000}")
    wait_for_band(page)
    page.js(
        """
        const chart = Chart.getChart("rtt-chart");
        const box = chart.canvas.getBoundingClientRect();
        const send = (type, x) => chart.canvas.dispatchEvent(
          new PointerEvent(type, {pointerId: 1, clientX: x, clientY: box.top + 20, bubbles: true}));
        chart.canvas.setPointerCapture = () => {};
        const start = box.left + chart.chartArea.left + chart.chartArea.width / 2;
        send("pointerdown", start);
        send("pointermove", start + chart.chartArea.width / 4);
        send("pointerup", start + chart.chartArea.width / 4);
        """
    )
    low, high = shown(page)
    assert low == pytest.approx(now - 42_500, abs=60)
    assert high - low == pytest.approx(10_000, abs=2)
    page.js(
        """
        const chart = Chart.getChart("rtt-chart");
        const x = chart.canvas.getBoundingClientRect().left + chart.chartArea.left + 1;
        chart.canvas.dispatchEvent(new WheelEvent("wheel", {ctrlKey: true, deltaY: -1, clientX: x, cancelable: true}));
        """
    )
    assert shown(page)[0] == pytest.approx(low, abs=60)
    assert shown(page)[1] - shown(page)[0] == pytest.approx(8000, abs=2)


def test_events_of_the_stream_are_marks_with_their_text(page: Browser) -> None:
    page.open("/stream/lineup")
    page.find("#peers .peer")
    page.click("label[for=span-3600]")
    events = page.js_async(
        "const done = arguments[0]; fetch('/api/events?key=lineup').then((r) => r.json()).then((a) => done(a.events))"
    )
    marks = wait_for(lambda: page.js("return Chart.getChart('rtt-chart').marks"), deadline_s=10, what="marks")

    assert {mark["text"] for mark in marks} <= {event["text"] for event in events}
    assert marks, json.dumps(events)
