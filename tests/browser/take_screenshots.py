"""Takes the pictures of docs/screenshots: `python -m tests.browser.take_screenshots`. Their figures are made up."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from unittest import mock

from app import create_app
from app.domain.secret import Secret
from app.settings import PROJECT_FOLDER, Settings, make_folders
from app.utils import SystemMeter
from tests.browser.chrome import PHONE, WIDE, Browser
from tests.browser.conftest import Server
from tests.browser.front_page import front_page_log, front_page_streams, quiet_machine
from tests.instruments.ts_maker import Recipe, make_ts
from tests.instruments.waiting import wait_for
from tests.web.fake_manager import FakeManager
from tests.web.fake_receptions import KEY, make_points, make_reception
from tests.web.mixed_streams import mixed_log, mixed_streams

FOLDER = PROJECT_FOLDER / "docs" / "screenshots"
HEIGHT_MAX = 2400
FRONT_PAGE = (1760, 1000)
# Name, path, what is there when the page is ready.
PICTURES = (
    ("dashboard", "/", "#streams tr:nth-child(10)"),
    ("wall", "/?view=wall", ".tile:nth-of-type(10)"),
    ("caller", "/caller", "#overview i"),
    ("stream", "/stream/parlmt", "#peers .peer"),
    ("stream-failed", "/stream/failed", "#notes .note"),
    ("events", "/events", "#log tr:nth-child(6)"),
    ("media", "/media_info/bars.ts", "#findings tr"),
    ("receive", "/receive", "#overview i"),
    ("reception", f"/stream/{KEY}", "#watching tr:nth-child(5)"),
    ("network-test", "/network_test", "#overview i"),
)


def main() -> None:
    """Take them all, dark and light, wide and as on a phone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mcr-") as folder:
        settings = _settings(Path(folder))
        streams = mixed_streams()
        manager = FakeManager([*streams, make_reception()])
        manager.points, manager.pictures = make_points(300), {KEY: _bars()}
        manager.log = mixed_log(streams)
        browser = Browser()
        try:
            _front_page(browser, settings)
            _all_pages(browser, Server(create_app(settings, manager=manager)))
            _empty(browser, Server(create_app(settings, manager=FakeManager())))
        finally:
            browser.quit()


def _bars() -> bytes:
    argv = ("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "smptehdbars=size=480x270:duration=1", "-frames:v", "1")
    return subprocess.run([*argv, "-f", "mjpeg", "-"], check=True, capture_output=True, timeout=30).stdout


def _settings(folder: Path) -> Settings:
    settings = Settings(
        secret_key=Secret("s" * 32),
        data_folder=folder / "data",
        runtime_folder=folder / "run",
        media_folder=folder / "media",
        log_file=folder / "log",
        database_url="sqlite://",
        offline=True,
    )
    make_folders(settings)
    (settings.media_folder / "bars.ts").write_bytes(make_ts(Recipe(seconds=4.0)))
    return settings


def _front_page(browser: Browser, settings: Settings) -> None:
    """Take the picture of the README."""
    streams = front_page_streams()
    manager = FakeManager(streams)
    manager.log = front_page_log()
    with mock.patch.object(SystemMeter, "read", return_value=quiet_machine()):
        server = Server(create_app(settings, manager=manager))
        browser.start(server.base)
        browser.size(FRONT_PAGE)
        browser.open("/", theme="dark")
        browser.wait_text("#versions", ".", deadline_s=60)
        browser.find("#streams tr:nth-child(10)")
        _take(browser, FRONT_PAGE, "front-page")
        server.stop()


def _all_pages(browser: Browser, server: Server) -> None:
    browser.start(server.base)
    browser.open("/")
    # The versions are asked for behind the first page.
    browser.wait_text("#versions", ".", deadline_s=60)
    for name, path, ready in PICTURES:
        for theme in ("dark", "light"):
            for size, suffix in ((WIDE, ""), (PHONE, "-phone")):
                browser.size(size)
                browser.open(path, theme=theme)
                browser.find(ready)
                _take(browser, size, f"{name}-{theme}{suffix}")
    browser.size(WIDE)
    browser.open("/")
    browser.find("#streams tr:nth-child(10)")
    server.stop()
    wait_for(
        lambda: browser.js("return document.body.classList.contains('is-stale')"), deadline_s=10, what="stale figures"
    )
    _take(browser, WIDE, "dashboard-server-gone-dark")


def _empty(browser: Browser, server: Server) -> None:
    browser.start(server.base)
    browser.open("/")
    browser.wait_text("#streams-empty", "No streams yet")
    _take(browser, WIDE, "dashboard-empty-dark")
    server.stop()


def _take(browser: Browser, size: tuple[int, int], name: str) -> None:
    """Save the whole page, as far as it is sensible to scroll; of an open dialog what the screen shows."""
    browser.js_async("const done = arguments[0]; document.fonts.ready.then(() => requestAnimationFrame(() => done()))")
    is_dialog = browser.is_shown(".modal.show")
    height = size[1] if is_dialog else browser.js("return document.documentElement.scrollHeight")
    browser.size((size[0], min(max(size[1], int(height)), HEIGHT_MAX)))
    browser.js_async("const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))")
    browser.driver.save_screenshot(str(FOLDER / f"{name}.png"))
    browser.size(size)


if __name__ == "__main__":
    main()
