"""The page of a receive stream and the form that starts one: readable, whole on a phone, with chart, CSV and PNG."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import msgspec
import pytest

from app.domain.secret import Secret
from app.domain.spec import Encryption, Forward, ListenerEndpoint, ReceiveSpec, Record
from app.domain.status import Phase
from tests.browser.chrome import PHONE, WIDE, Browser
from tests.instruments.waiting import wait_for
from tests.web.fake_manager import FakeManager
from tests.web.fake_receptions import KEY, make_points, make_reception
from tests.web.fake_streams import PASSPHRASE, make_peer, make_snapshot


def jpeg() -> bytes:
    """Return a small picture."""
    argv = ("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=480x270:duration=1", "-frames:v", "1")
    return subprocess.run([*argv, "-f", "mjpeg", "-"], check=True, capture_output=True, timeout=30).stdout


@pytest.fixture
def received(page: Browser, manager: FakeManager) -> Browser:
    manager.streams = {**manager.streams, KEY: make_reception()}
    manager.pictures = {KEY: jpeg()}
    manager.points = make_points(300)
    return page


def wait_until_drawn(page: Browser) -> None:
    wait_for(
        lambda: page.js(
            "const chart = Chart.getChart('delivery-chart'); return chart?.data.datasets[0].data.length > 0"
        ),
        deadline_s=15,
        what="the delivery chart",
    )


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_page_keeps_wcag_and_its_width(received: Browser, theme: str) -> None:
    received.open(f"/stream/{KEY}", theme=theme)
    received.wait_text("#watching", "-23.0 LUFS")
    wait_for(
        lambda: received.js("return document.querySelector('#picture').naturalWidth"), deadline_s=15, what="a picture"
    )
    assert received.violations() == []
    received.size(PHONE)
    assert received.scrolls_sideways() == []
    assert received.violations() == []
    received.size(WIDE)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_form_keeps_wcag_and_its_width_with_all_of_it_open(page: Browser, theme: str) -> None:
    page.open("/receive", theme=theme)
    page.click("#is_recorded")
    page.click("#is_forwarded")
    page.wait_shown("#forward_address")
    assert page.violations() == []
    page.size(PHONE)
    assert page.scrolls_sideways() == []
    page.size(WIDE)


def test_the_form_starts_what_it_shows(page: Browser, manager: FakeManager) -> None:
    page.open("/receive")
    assert not page.js("return document.querySelector('#forward_address').checkVisibility()")
    page.click("#is_recorded")
    page.click("#is_forwarded")
    page.type("#forward_address", "239.1.1.9")
    page.type("#forward_port", "1234")
    page.click("#picture")
    page.click("#start-receive")
    wait_for(lambda: manager.started, deadline_s=15, what="the order")
    (spec,) = manager.started
    assert isinstance(spec, ReceiveSpec)
    assert (spec.record, spec.forward) == (Record(), Forward("239.1.1.9", 1234))
    assert (spec.picture, spec.loudness) == (True, False)


def test_the_verdict_comes_first_and_says_what_froze(received: Browser) -> None:
    received.open(f"/stream/{KEY}")
    received.wait_text("#verdict", "lost for good")
    received.wait_text("#findings", "picture froze for 0.6 s")
    assert received.wait_text("#about", "listener on port 10009").count("10009") == 1


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_rows_and_tiles_show_what_a_receiver_counts_and_no_senders_figures(
    received: Browser, size: tuple[int, int]
) -> None:
    received.size(size)
    received.open("/")
    cell = f"tr[data-key={KEY}] .col-"
    received.wait_text(f"{cell}lost", "21")
    assert received.text(f"{cell}lost") == "21lost for good"
    assert received.text(f"{cell}resent") == "0.5%recovered"
    assert received.text(f"{cell}drops") == "–"
    assert received.find(f"{cell}lost").get_attribute("data-label") == "Lost for good"
    assert received.scrolls_sideways() == []

    received.open("/?view=wall")
    tile = received.wait_text(f".tile[href='/stream/{KEY}'] .tile-figures", "Lost for good21")
    assert "Recovered0.5%" in tile
    assert "est." not in tile
    received.size(WIDE)


def test_the_main_graph_is_saved_as_csv_and_png(received: Browser, tmp_path: Path) -> None:
    received.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    received.open(f"/stream/{KEY}")
    wait_until_drawn(received)
    received.click("#png")
    png = wait_for(lambda: next(tmp_path.glob("*.png"), None), deadline_s=20, what="a PNG file")
    assert png.read_bytes()[:8] == base64.b64decode("iVBORw0KGgo=")
    path = received.js("return document.querySelector('#csv').getAttribute('href')")
    received.click("#csv")
    sheet = wait_for(lambda: next(tmp_path.glob("*.csv"), None), deadline_s=20, what=f"a CSV file of {path}")
    head, *rows = sheet.read_text().splitlines()
    assert head.startswith("time_utc,at,span_s,delivered_mbps")
    assert len(rows) == 300
    assert sum("frozen" in row for row in rows) == 1


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_an_edit_changes_the_stream_and_its_form_keeps_wcag_and_its_width(
    page: Browser, manager: FakeManager, theme: str
) -> None:
    encryption = Encryption(256, Secret(PASSPHRASE))
    spec = ReceiveSpec(ListenerEndpoint(10_009), name="OB van 4", encryption=encryption)
    manager.streams["encr42"] = make_snapshot("encr42", spec, Phase.DELIVERING, peers=(make_peer(),))
    page.open("/stream/encr42/edit", theme=theme)
    page.wait_text("#interrupted", "1 sender will be disconnected")
    assert page.violations() == []
    page.size(PHONE)
    assert page.scrolls_sideways() == []
    page.size(WIDE)
    page.js("document.querySelector('#latency_ms').value = '350'")
    page.click("#start-receive")
    page.wait_text("#about", "listener on port 10009 · AES-256")
    assert manager.changed == [("encr42", msgspec.structs.replace(spec, latency_ms=350))]


def test_the_hosts_page_marks_receive_streams_and_keeps_wcag_and_its_width(received: Browser) -> None:
    received.open("/hosts")
    received.wait_text("#fleet", "Receive · listener")
    assert len(received.all("#fleet .fa-download")) == 1
    assert received.violations() == []
    received.size(PHONE)
    assert received.scrolls_sideways() == []
    received.size(WIDE)
