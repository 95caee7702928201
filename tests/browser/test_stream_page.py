"""One stream's page: charts of the server's past, settings, peers, what the far end needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.chrome import Browser
from tests.instruments.waiting import wait_for
from tests.web.fake_manager import FakeManager
from tests.web.fake_streams import PASSPHRASE


def fetch(page: Browser, path: str) -> Any:
    return page.js_async("const [path, done] = arguments; fetch(path).then((r) => r.json()).then(done);", path)


def chart_data(page: Browser, id_: str, line: int = 0) -> list[dict[str, Any]]:
    return list(page.js("return Chart.getChart(arguments[0]).data.datasets[arguments[1]].data", id_, line))


def test_the_figures_are_the_apis(page: Browser) -> None:
    page.open("/stream/parlmt")
    page.find("#peers .peer")
    view = fetch(page, "/api/streams/parlmt")

    assert page.text("#payload") == f"{view['payload_mbps']:.2f}Mb/s"
    assert page.text("#wire") == f"{view['wire_mbps']:.2f}Mb/s"
    assert page.text("#rtt") == f"{view['rtt_ms']:.0f}ms"
    assert page.text("#times") == f"{view['latency_rtt_ratio']:.1f}×"
    assert page.text("#drops") == "14packets"
    assert page.text("#lost") == view["lost_text"]
    assert page.text("#buffer") == "96of 200 ms"
    assert "warn" in (page.find("#times").get_attribute("class") or "").split()


def test_charts_show_the_servers_past_and_go_on(page: Browser) -> None:
    page.open("/stream/lineup")
    first = wait_for(lambda: chart_data(page, "bitrate-chart"), deadline_s=15, what="a line in the chart")
    newest = first[-1]["x"]
    wait_for(lambda: chart_data(page, "bitrate-chart")[-1]["x"] > newest, deadline_s=15, what="the chart to move")

    assert len(first) >= 290
    assert first[-1]["y"] == pytest.approx(16.0, abs=0.5)


def test_an_hour_is_one_click_away_and_the_same_in_a_second_browser(page: Browser) -> None:
    page.open("/stream/lineup")
    page.find("#peers .peer")
    page.click("label[for=span-3600]")
    wait_for(lambda: len(chart_data(page, "rtt-chart")) > 3500, deadline_s=20, what="an hour of history")
    at = chart_data(page, "rtt-chart")[1000]
    page.open("/stream/lineup")
    page.click("label[for=span-3600]")
    wait_for(lambda: len(chart_data(page, "rtt-chart")) > 3500, deadline_s=20, what="an hour of history again")

    assert at in chart_data(page, "rtt-chart")


def test_what_is_unknown_has_no_unit(page: Browser) -> None:
    page.open("/stream/failed")
    page.wait_text("#counters", "Resent–Retransmitted")

    assert page.text("#payload") == "–"


def test_loss_is_drawn_where_it_was(page: Browser) -> None:
    page.open("/stream/parlmt")
    wait_for(lambda: chart_data(page, "loss-chart"), deadline_s=15, what="a line in the chart")

    assert max(point["y"] for point in chart_data(page, "loss-chart", 0)) == pytest.approx(6.0)
    assert max(point["y"] for point in chart_data(page, "loss-chart", 2)) == 2


def test_settings_flag_what_was_changed(page: Browser) -> None:
    page.open("/stream/parlmt")
    page.wait_text("#settings", "Overhead")

    changed = page.js(
        "return [...document.querySelectorAll('#settings tr:has(.differs)')].map((row) => row.textContent)"
    )
    assert len(changed) == 1
    assert changed[0].startswith("Overhead3 %5 %")
    assert "nothing below 5 %" in changed[0]


def test_who_was_refused_is_listed_with_the_reason(page: Browser) -> None:
    page.open("/stream/parlmt")

    assert "Refused203.0.113.9:41000wrong passphrase12 ×" in page.wait_text("#peers", "Refused")
    assert "Connected198.51.100.23:50112" in page.text("#peers")


def test_a_fault_is_said_with_its_remedy(page: Browser) -> None:
    page.open("/stream/arenab")

    assert "Compare them letter by letter" in page.wait_text("#notes", "Wrong passphrase.")
    assert page.text("#peers").startswith("Error")


def test_advice_from_the_stream_itself_is_applied_to_the_stream(page: Browser, manager: FakeManager) -> None:
    before = manager.get("parlmt").spec
    page.open("/stream/parlmt")
    page.wait_text("#notes", "raise latency")
    assert "(restarts the stream)" in page.text("#apply-advice")
    page.click("#apply-advice")
    page.wait_text("#confirm-text", "reconnect")
    page.click("#confirm-yes")
    wait_for(lambda: manager.changed, deadline_s=15, what="the stream to be changed")

    ((key, spec),) = manager.changed
    assert key == "parlmt"
    assert spec.latency_ms > 300
    assert spec.latency_ms % 10 == 0
    assert (spec.name, spec.endpoint, spec.source, spec.encryption) == (
        before.name,
        before.endpoint,
        before.source,
        before.encryption,
    )


def test_a_stream_is_edited_in_the_form_that_made_it(page: Browser, manager: FakeManager) -> None:
    page.open("/stream/parlmt")
    page.wait_text("#label", "Parliament clean")
    page.click("a[href$='/edit']")
    page.wait_text("#interrupted", "reconnect")
    assert page.js("return document.querySelector('#address').value") == "239.20.1.2"
    assert page.js("return document.querySelector('#passphrase').value") == ""
    page.type("#name", "Parliament 2")
    page.click("#start-stream")
    wait_for(lambda: manager.changed, deadline_s=15, what="the stream to be changed")

    ((key, spec),) = manager.changed
    assert (key, spec.name) == ("parlmt", "Parliament 2")


def test_the_far_end_card_hides_the_passphrase_until_asked(page: Browser) -> None:
    page.open("/stream/parlmt")
    page.wait_text("#card-text", "Passphrase")
    assert PASSPHRASE not in page.text("body")
    page.click("#reveal-secret")
    page.wait_text("#card-text", PASSPHRASE)
    page.click("[data-card=ffplay]")
    page.wait_text("#card-text", f"ffplay -passphrase '{PASSPHRASE}' -pbkeylen 32 'srt://")
    page.click("#reveal-secret")
    wait_for(lambda: PASSPHRASE not in page.text("#card-text"), deadline_s=15, what="the passphrase to be hidden")


def test_the_far_end_card_is_for_every_kind_of_receiver(page: Browser) -> None:
    page.open("/stream/lineup")
    page.wait_text("#card-text", "Caller")
    page.type("#address", "203.0.113.50")
    expected = {
        "decoder": "Address 203.0.113.50",
        "ffplay": "ffplay 'srt://203.0.113.50:10001?mode=caller&latency=200000'",
        "vlc": "vlc 'srt://203.0.113.50:10001?latency=200'",
        "srt-live-transmit": "srt-live-transmit 'srt://203.0.113.50:10001?mode=caller&latency=200' "
        "udp://127.0.0.1:5004",
        "obs": "srt://203.0.113.50:10001?mode=caller&latency=200000",
        "firewall": "udp dport 10001 accept",
    }
    for name, words in expected.items():
        page.click(f"[data-card={name}]")
        page.wait_text("#card-text", words)


def test_a_caller_stream_tells_the_far_end_to_listen(page: Browser) -> None:
    page.open("/stream/umearn")
    page.wait_text("#card-text", "Mode Listener")
    page.click("[data-card=ffplay]")

    assert "srt://0.0.0.0:9002?mode=listener&latency=200000" in page.text("#card-text")
    assert not page.is_shown("#address")


def test_a_qr_code_is_drawn(page: Browser) -> None:
    page.open("/stream/lineup")
    page.wait_text("#card-text", "Caller")
    page.click("#show-qr")
    page.wait_shown("#qr-canvas")
    dark = page.js(
        """
        const canvas = document.querySelector("#qr-canvas");
        const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return pixels.filter((value, index) => index % 4 === 0 && value === 0).length / (pixels.length / 4);
        """
    )

    assert 0.2 < dark < 0.6


def test_history_is_saved_as_csv_and_a_chart_as_png(page: Browser, tmp_path: Path) -> None:
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    page.open("/stream/parlmt")
    wait_for(lambda: chart_data(page, "bitrate-chart"), deadline_s=15, what="a line in the chart")
    page.click("#csv")
    page.click("[data-png=bitrate-chart]")
    csv = wait_for(lambda: next(tmp_path.glob("*.csv"), None), deadline_s=20, what="a CSV file")
    png = wait_for(lambda: next(tmp_path.glob("*.png"), None), deadline_s=20, what="a PNG file")

    assert csv.read_text().startswith("time_utc,at,peers,payload_mbps")
    assert png.read_bytes().startswith(b"\x89PNG")


def test_the_debug_view_is_raw_and_has_no_secret(page: Browser) -> None:
    page.open("/stream/arenab")
    page.click("#show-debug")
    page.wait_text("#debug-text", "Incorrect passphrase")

    assert PASSPHRASE not in page.text("#debug-text")


def test_the_page_leads_back_when_the_stream_is_dismissed(page: Browser, manager: FakeManager) -> None:
    page.open("/stream/failed")
    page.wait_text("#end", "Dismiss")
    page.click("#end")
    page.find("#streams tr")

    assert manager.orders == [("dismiss", "failed", "operator at 127.0.0.1")]
    page.click("#toasts button")
    page.find("tr[data-key=failed]")
