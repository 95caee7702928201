"""Takes the pictures that the documents show: `python -m tests.browser.take_screenshots`. Their figures are made up."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from unittest import mock

from app import create_app
from app.domain.secret import Secret
from app.settings import PROJECT_FOLDER, Settings, make_folders
from app.utils import SystemMeter
from tests.browser.chrome import WIDE, Browser
from tests.browser.conftest import Server
from tests.browser.front_page import front_page_log, front_page_streams, quiet_machine
from tests.instruments.ts_maker import Recipe, make_ts
from tests.web.fake_manager import FakeManager
from tests.web.fake_receptions import KEY, make_points, make_reception
from tests.web.mixed_streams import mixed_log, mixed_streams

FOLDER = PROJECT_FOLDER / "docs" / "screenshots"
HEIGHT_MAX = 2400
FRONT_PAGE = (1760, 1000)
# Name, path, what is there when the page is ready.
PICTURES = (
    ("wall-dark", "/?view=wall", ".tile:nth-of-type(10)"),
    ("stream-dark", "/stream/parlmt", "#peers .peer"),
    ("reception-dark", f"/stream/{KEY}", "#watching tr:nth-child(5)"),
)


def main() -> None:
    """Take them all, on a wide screen."""
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
    browser.size(WIDE)
    for name, path, ready in PICTURES:
        browser.open(path, theme="dark")
        browser.find(ready)
        _take(browser, WIDE, name)
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
