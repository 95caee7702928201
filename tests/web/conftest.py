"""An application with a fake manager for each test, and clients that are a browser or a script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.domain.secret import Secret
from app.settings import Settings, make_folders
from tests.web.client import Client
from tests.web.compiled_templates import with_compiled_templates
from tests.web.fake_manager import FakeManager
from tests.web.mixed_streams import mixed_log, mixed_streams

API_KEY = "the-right-key-of-this-test"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(
        secret_key=Secret("s" * 32),
        data_folder=tmp_path / "data",
        runtime_folder=tmp_path / "run",
        media_folder=tmp_path / "media",
        log_file=tmp_path / "log",
        database_url="sqlite://",
        api_key=Secret(API_KEY),
    )
    make_folders(made)
    return made


@pytest.fixture
def manager() -> FakeManager:
    streams = mixed_streams()
    made = FakeManager(streams)
    made.log = mixed_log(streams)
    return made


@pytest.fixture
def app(settings: Settings, manager: FakeManager) -> Flask:
    return with_compiled_templates(create_app(settings, manager=manager))


@pytest.fixture
def script(app: Flask) -> Client:
    """A client that sends the right API key."""
    client = Client(app)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {API_KEY}"
    return client


@pytest.fixture
def stranger(app: Flask) -> Client:
    """A client that never opened a page and has no key."""
    return Client(app)


@pytest.fixture
def browser(app: Flask) -> Client:
    """A client that opened the dashboard and sends its CSRF token."""
    client = Client(app)
    page = client.get("/").get_data(as_text=True)
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found
    client.environ_base["HTTP_X_CSRFTOKEN"] = found[1]
    return client
