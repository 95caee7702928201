"""The command line against servers and archives that are not what they should be: a message, never a traceback."""

from __future__ import annotations

import http.server
import io
import os
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.cli import archives, checks
from app.cli.api import Api, ServerUnreachable
from app.settings import read_settings


class StreamsOnly(Api):
    """A server with one listener, one caller and one relay."""

    def get(self, path: str) -> Any:
        """Answer with the fields that the check reads; a relay's spec has no endpoint."""
        assert path == "/api/streams"
        return {
            "streams": [
                {"far_end": {"calls_us": True, "port": 10001}, "spec": {"endpoint": {"port": 10001}}},
                {"far_end": {"calls_us": False, "port": 10002}, "spec": {"endpoint": {"port": 10002}}},
                {"far_end": {"calls_us": True, "port": 10003}, "spec": {"listen_port": 10003}},
            ]
        }


def test_only_ports_that_no_stream_listens_on_are_reported_as_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_is_taken", lambda _: True)
    settings = read_settings({"SECRET_KEY": "k" * 32, "LISTENER_PORTS": "10001-10003"})
    found = [finding.text for finding in checks._ports(settings, StreamsOnly({}))]
    assert len(found) == 1
    assert "listener port 10002 " in found[0]  # a caller's port is the far end's, not one of this host


@contextmanager
def server_that_answers(answer: bytes) -> Iterator[Api]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Api({"PORT": str(server.server_port)})
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n<html>",
        b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n{",
    ],
    ids=["not HTTP", "not JSON", "cut short"],
)
def test_another_program_at_the_port_is_reported_by_its_address(answer: bytes) -> None:
    with server_that_answers(answer) as api, pytest.raises(ServerUnreachable, match=api.address):
        api.get("/health")


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("store.sqlite3")
        member.size = 300_000
        tar.addfile(member, io.BytesIO(os.urandom(member.size)))
    whole = bytearray(archive.read_bytes())
    whole[100_000:200_000] = bytes(100_000)
    archive.write_bytes(whole)
    with pytest.raises(archives.BackupFailed, match=r"not a \.tar\.gz archive"):
        archives._read(archive)
