"""A browser for all tests and a server for each. An error on the browser's console fails a test."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, make_server

from app import create_app
from app.domain.secret import Secret
from app.settings import Settings, make_folders
from tests.browser.chrome import Browser
from tests.instruments.ts_maker import Recipe, make_ts
from tests.web.compiled_templates import with_compiled_templates
from tests.web.fake_manager import FakeManager
from tests.web.fake_rehearsals import keep_rehearsal
from tests.web.mixed_streams import mixed_log, mixed_streams

# A line for each request would hide what a test says.
logging.getLogger("werkzeug").setLevel(logging.ERROR)


class Server:
    """An application on a separate port, until `stop`."""

    def __init__(self, app: Flask) -> None:
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        assert isinstance(self._server, ThreadedWSGIServer)
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        self._runs = True

    def stop(self) -> None:
        """Stop answering."""
        if self._runs:
            self._runs = False
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


@pytest.fixture(scope="session")
def chrome() -> Iterator[Browser]:
    browser = Browser()
    yield browser
    browser.quit()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(
        secret_key=Secret("s" * 32),
        data_folder=tmp_path / "data",
        runtime_folder=tmp_path / "run",
        media_folder=tmp_path / "media",
        log_file=tmp_path / "log",
        database_url=f"sqlite:///{tmp_path / 'data' / 'store.sqlite3'}",
        offline=True,
    )
    make_folders(made)
    keep_rehearsal(made.data_folder)
    content = make_ts(Recipe(seconds=2.0))
    (made.media_folder / "bars.ts").write_bytes(content)
    (made.media_folder / "ird").mkdir()
    (made.media_folder / "ird" / "<b>bold<∕b>.ts").write_bytes(content)
    (made.media_folder / "ird" / "arena.ts").write_bytes(content)
    (made.media_folder / "letter.ts").write_text("no transport stream")
    return made


@pytest.fixture
def manager() -> FakeManager:
    streams = mixed_streams()
    made = FakeManager(streams)
    made.log = mixed_log(streams)
    return made


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], Server]]:
    """Serve applications; all of them end with the test."""
    servers: list[Server] = []

    def start(app: Flask) -> Server:
        servers.append(Server(app))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(settings: Settings, manager: FakeManager, serve: Callable[[Flask], Server]) -> Server:
    return serve(with_compiled_templates(create_app(settings, manager=manager)))


@pytest.fixture
def page(chrome: Browser, server: Server) -> Iterator[Browser]:
    """The browser on the server with the mixed streams. An error on its console fails the test."""
    chrome.start(server.base)
    chrome.hosts_asked()
    yield chrome
    asked, complaints = chrome.hosts_asked(), chrome.complaints()
    chrome.driver.get("about:blank")
    assert asked <= {"127.0.0.1"}
    assert complaints == []
