"""The operator's workflow with the real engine behind the pages and real receivers at the far end."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from selenium.webdriver.common.keys import Keys

from app import create_app
from app.settings import Settings, make_folders
from app.web.services import services_of
from tests.browser.chrome import Browser
from tests.browser.conftest import Server
from tests.instruments.child import Child
from tests.instruments.gst_registry import give_registry
from tests.instruments.receivers import Receiver
from tests.instruments.specs import listener_port
from tests.instruments.ts_maker import Recipe, make_ts
from tests.instruments.waiting import free_port, free_ports, wait_for

BITRATE_MBPS = 3.0
# The address of a stream's page, by the stream's name.
_ADDRESS_OF = """
return [...document.querySelectorAll("#streams a.name")].find((link) => link.textContent === arguments[0])
  .getAttribute("href");
"""


class House:
    """One installation; `serve` starts its web process again, with its streams."""

    def __init__(self, settings: Settings, serve: Callable[[Flask], Server]) -> None:
        self._settings = settings
        self._serve = serve
        self.start()

    def start(self) -> None:
        self.app = create_app(self._settings)
        self.server = self._serve(self.app)

    def restart(self) -> None:
        """Restart the web process as a reload does: it leaves the workers on air, and the next one adopts them."""
        self.server.stop()
        services_of(self.app).manager.detach()
        self._end_helpers()
        self.start()

    def end(self) -> None:
        services_of(self.app).manager.shutdown()
        self._end_helpers()

    def _end_helpers(self) -> None:
        services_of(self.app).network.shutdown()
        services_of(self.app).analyst.close()


@pytest.fixture
def house(settings: Settings, serve: Callable[[Flask], Server]) -> Iterator[House]:
    # A short path: a Unix socket's name has 108 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="mcr-"))
    ports = free_ports(6)
    changes = {"runtime_folder": folder / "run", "listener_ports": tuple(ports)}
    made = Settings(**{**vars(settings), **changes})
    make_folders(made)
    give_registry(made.runtime_folder)
    (made.media_folder / "bars.ts").write_bytes(make_ts(Recipe(seconds=6.0, bitrate_bps=round(BITRATE_MBPS * 1e6))))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        house = House(made, serve)
        stack.callback(house.end)
        yield house


@pytest.fixture
def desk(chrome: Browser, house: House) -> Iterator[Browser]:
    """The operator's browser. A console error or a request to another host fails the test."""
    chrome.start(house.server.base)
    chrome.hosts_asked()
    yield chrome
    asked, complaints = chrome.hosts_asked(), chrome.complaints()
    chrome.driver.get("about:blank")
    assert asked <= {"127.0.0.1"}
    assert complaints == []


def start_listener(desk: Browser) -> int:
    """Start the form's listener from the file bars.ts, by mouse; gives its port."""
    desk.open("/")
    desk.open_new_stream()
    desk.click("label[for=source_kind-1]")
    desk.click("#browse-media")
    desk.click("#media-list li[data-name='bars.ts'] button")
    desk.wait_text("#path-hint", "Mb/s")
    port = int(desk.js("return document.querySelector('#port').value"))
    desk.click("#start-stream")
    desk.wait_text("#streams .col-state", "Waiting")
    assert desk.text("#streams .col-srt") == f"Listener:{port}"
    return port


def shown_mbps(desk: Browser, selector: str) -> float:
    text = desk.text(selector).removesuffix("Mb/s")
    return 0.0 if text == "–" else float(text)


def call_the_far_end(desk: Browser, port: int, far: Receiver) -> None:
    desk.follow("nav a[href='/caller']")
    desk.click("label[for=source_kind-1]")
    desk.type("#path", "bars.ts")
    desk.type("#host", "127.0.0.1")
    desk.type("#far_port", str(port))
    desk.type("#name", "To the far end")
    desk.click("#start-stream")
    desk.wait_text("#streams", "To the far end")
    desk.wait_gone("#new-stream")
    desk.open(desk.js(_ADDRESS_OF, "To the far end"))
    desk.wait_text("#lamp", "Delivering")
    far.wait_for_bytes(500_000)
    desk.wait_text("#peers", f"Connected127.0.0.1:{port}")


def recommended_latency_ms(desk: Browser, iperf_port: int) -> int:
    """Test the path to this host, and follow the recommendation to the form of a listener."""
    desk.follow("nav a[href='/network_test']")
    desk.type("#host", "127.0.0.1")
    desk.type("#port", str(iperf_port))
    desk.type("#duration_s", "2")
    desk.click("#start-test")
    desk.wait_text("#result", "New listener with these values", deadline_s=40)
    desk.follow(".apply a")
    recommended_ms = int(desk.find("#latency_ms").get_attribute("value") or "")
    desk.click("#new-stream .btn-close")
    desk.wait_gone("#new-stream")
    return recommended_ms


def read_debug_and_stop(desk: Browser, key: str | None) -> None:
    desk.follow(f"#streams tr[data-key='{key}'] .col-actions a")
    desk.find("#peers .peer")
    desk.click("#show-debug")
    desk.wait_text("#debug-text", "GStreamer")
    desk.click("#debug .btn-close")
    desk.wait_gone("#debug")
    desk.click("#end")
    desk.wait_shown("#confirm-yes")
    desk.click("#confirm-yes")
    desk.wait_text("#lamp", "Stopped")


def test_the_operators_workflow_by_mouse(desk: Browser) -> None:
    port = start_listener(desk)
    key = desk.find("#streams tr").get_attribute("data-key")
    far_port, iperf_port = free_port(), free_port()
    with (
        Receiver.calling(port) as near,
        Receiver.listening(far_port) as far,
        Child(["iperf3", "-s", "-1", "-p", str(iperf_port)]),
    ):
        desk.wait_text("#streams .col-state", "Delivering")
        wait_for(
            lambda: shown_mbps(desk, "#streams .col-payload") == pytest.approx(BITRATE_MBPS, rel=0.1),
            deadline_s=20,
            what="the file's bitrate on the page",
        )

        call_the_far_end(desk, far_port, far)
        assert 20 <= recommended_latency_ms(desk, iperf_port) <= 8000
        read_debug_and_stop(desk, key)
        near.wait_for_state("lost", "closed")
        assert near.figures().bytes > 0
        assert far.figures().state == "connected"


def test_a_stream_is_started_watched_and_stopped_with_keys_alone(desk: Browser, house: House) -> None:
    desk.open("/")
    desk.find("#system")
    desk.press("n")
    desk.tab_to("#source_kind-0")
    desk.press(Keys.ARROW_DOWN)
    desk.tab_to("#path")
    desk.press("bars.ts")
    desk.tab_to("#start-stream")
    desk.press(Keys.ENTER)
    desk.wait_text("#streams .col-state", "Waiting")
    port = listener_port(services_of(house.app).manager.list()[0].spec)
    with Receiver.calling(port) as receiver:
        receiver.wait_for_bytes(200_000)
        desk.wait_text("#streams .col-state", "Delivering")
        desk.js("document.activeElement.blur()")
        desk.press("j", Keys.ENTER)
        desk.wait_text("#lamp", "Delivering")
        first = len(desk.js("return Chart.getChart('bitrate-chart').data.datasets[0].data"))
        wait_for(
            lambda: len(desk.js("return Chart.getChart('bitrate-chart').data.datasets[0].data")) > first,
            deadline_s=20,
            what="the chart to move",
        )
        desk.press("s")
        desk.wait_shown("#confirm-yes")
        desk.tab_to("#confirm-yes")
        desk.press(Keys.ENTER)
        desk.wait_text("#lamp", "Stopped")


def test_the_past_is_there_after_the_web_process_began_anew(desk: Browser, house: House) -> None:
    port = start_listener(desk)
    with Receiver.calling(port) as receiver:
        receiver.wait_for_bytes(400_000)
        desk.wait_text("#streams .col-state", "Delivering")
        key = str(desk.find("#streams tr").get_attribute("data-key"))
        before = wait_for(
            lambda: len(found) >= 3 and found if (found := past_of(house, key)) else None,
            deadline_s=20,
            what="three seconds of history",
        )
        house.restart()
        desk.start(house.server.base)
        desk.open(f"/stream/{key}")
        desk.wait_text("#lamp", "Delivering")
        shown = wait_for(
            lambda: desk.js("return Chart.getChart('bitrate-chart').data.datasets[0].data.map((point) => point.x)"),
            deadline_s=20,
            what="a line in the chart",
        )

    # The page's times are rounded to hundredths of a second.
    missing = [at for at in before if min(abs(at - drawn) for drawn in shown) > 0.02]
    assert missing == [], (before, shown)


def past_of(house: House, key: str) -> list[float]:
    return [second.at for second in services_of(house.app).manager.history(key, 300)]


def test_a_wrong_passphrase_shows_who_was_refused_and_why(desk: Browser, house: House) -> None:
    desk.open("/")
    desk.open_new_stream()
    desk.click("label[for=source_kind-1]")
    desk.type("#path", "bars.ts")
    desk.click("#generate-passphrase")
    desk.click("#start-stream")
    desk.wait_text("#streams .col-state", "Waiting")
    snapshot = services_of(house.app).manager.list()[0]
    with Receiver.calling(listener_port(snapshot.spec), passphrase="not the right one"):
        desk.open(f"/stream/{snapshot.key}")
        assert "wrong passphrase" in desk.wait_text("#peers", "Refused", deadline_s=15)
