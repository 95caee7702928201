"""What the command line finds by itself: the keys that run.sh keeps, and a port for the demonstration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from app.cli import demo_stream
from app.cli.api import Api
from app.settings import read_settings, with_kept_keys

KEY = "k" * 64


def test_the_key_that_run_sh_keeps_is_used_where_none_is_set(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text(f"{KEY}\n")
    environ = {"DATA_FOLDER": str(tmp_path)}
    assert read_settings(with_kept_keys(environ)).secret_key.reveal() == KEY
    own = {**environ, "SECRET_KEY": "o" * 32}
    assert read_settings(with_kept_keys(own)).secret_key.reveal() == "o" * 32


def test_the_kept_api_key_is_sent_to_a_server_of_this_host_only(tmp_path: Path) -> None:
    (tmp_path / "api_key").write_text(f"{KEY}\n")
    kept = {"DATA_FOLDER": str(tmp_path)}
    assert [Api.from_environment({**kept, "HOST": host})._key for host in ("", "0.0.0.0", "127.0.0.1")] == [KEY] * 3
    assert Api.from_environment({**kept, "HOST": "192.0.2.7"})._key == ""
    assert Api.from_environment({**kept, "API_KEY": "o" * 32})._key == "o" * 32


def test_without_a_kept_key_the_environment_stays_as_it_is(tmp_path: Path) -> None:
    environ = {"DATA_FOLDER": str(tmp_path)}
    assert with_kept_keys(environ) == environ


class FakeApi(Api):
    """An API with these streams and free ports, which remembers what is posted."""

    address = "http://127.0.0.1:5000"

    def __init__(self, streams: list[dict[str, Any]], free_ports: list[int]) -> None:
        self._answers = {
            "/api/streams": {"streams": streams},
            "/api/dashboard": {"free_ports": free_ports},
            "/health": {},
        }
        self.posted: list[tuple[str, Any]] = []

    def get(self, path: str) -> Any:
        return self._answers[path]

    def post(self, path: str, document: object = None, *, timeout_s: float = 0) -> Any:
        self.posted.append((path, document))
        return {"key": "demo01", "spec": document}


def demo_of_before(phase: str) -> dict[str, Any]:
    source = {"kind": "file", "path": demo_stream.SAMPLE, "loop": True}
    spec = {"name": demo_stream.NAME, "endpoint": {"mode": "listener", "port": 10304}, "source": source}
    return {"key": "before", "phase": phase, "spec": spec}


def test_the_demo_takes_the_first_free_listener_port() -> None:
    api = FakeApi([], [10303, 10305])
    demo_stream.put_on_air(api, os.getpid())
    assert api.posted[0][1]["endpoint"] == {"mode": "listener", "port": 10303}
    assert "srt://127.0.0.1:10303" in demo_stream.receiving_lines(10303)[0]


def test_a_demo_of_an_earlier_start_is_used_again() -> None:
    api = FakeApi([demo_of_before("waiting")], [10303])
    assert demo_stream.put_on_air(api, os.getpid())["key"] == "before"
    stopped = FakeApi([demo_of_before("stopped")], [10303])
    demo_stream.put_on_air(stopped, os.getpid())
    assert [path for path, _ in stopped.posted] == ["/api/streams/before/start"]


def test_without_a_free_port_the_demo_says_so_in_one_sentence() -> None:
    with pytest.raises(demo_stream.NoFreePort) as caught:
        demo_stream.put_on_air(FakeApi([], []), os.getpid())
    assert "LISTENER_PORTS" in str(caught.value)
