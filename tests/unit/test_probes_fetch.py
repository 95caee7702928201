"""Reading a small document over HTTPS: whatever the far end does, the call returns in time."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from app.domain.web_address import problem_with_https_address
from app.network.fetch import fetch
from app.probes.run import ProbeFailed, TimedOut
from tests.instruments.https_server import Answer, HttpsServer, body, drip, endless, silent

LIMIT_BYTES = 100_000


def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer, *, timeout_s: float = 10) -> bytes:
    with HttpsServer(tmp_path, answer) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        return fetch(server.address, bytes_max=LIMIT_BYTES, timeout_s=timeout_s)


def test_a_document_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(tmp_path, monkeypatch, body(b'{"servers": []}')) == b'{"servers": []}'


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with HttpsServer(tmp_path, body(b"[]")) as server, pytest.raises(ProbeFailed, match="certificate"):
        fetch(server.address, bytes_max=LIMIT_BYTES)


def test_a_redirect_is_refused_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = body(b"", "302 Found", "Location: https://elsewhere.example/\r\n")
    with pytest.raises(ProbeFailed, match=r"redirects to https://elsewhere\.example/"):
        read(tmp_path, monkeypatch, answer)


def test_a_refusal_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProbeFailed, match="localhost: answers 403 Forbidden"):
        read(tmp_path, monkeypatch, body(b"no", "403 Forbidden"))


@pytest.mark.parametrize("answer", [endless, body(b"x" * (LIMIT_BYTES + 1))])
def test_more_than_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    with pytest.raises(ProbeFailed, match="more than 100000 bytes"):
        read(tmp_path, monkeypatch, answer)


@pytest.mark.parametrize("answer", [drip, silent])
def test_a_server_that_takes_its_time_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    started = time.monotonic()
    with pytest.raises(TimedOut, match="localhost did not answer within 2 s"):
        read(tmp_path, monkeypatch, answer, timeout_s=2)
    assert time.monotonic() - started < 30


def test_nobody_at_the_address_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ProbeFailed, match=r"127\.0\.0\.1: .*refused"):
        fetch(f"https://127.0.0.1:{port}/", bytes_max=LIMIT_BYTES)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://a.example/",
        "file:///etc/passwd",
        "https://",
        "https:///x",
        "https://user:pw@a.example/",
        "https://a.example:99999/",
        "https://a.example/ x",
        "https://a.example/\n",
        "https://ü.example/",
        "https://a.example/" + "x" * 2000,
    ],
)
def test_only_a_plain_https_address_is_called(address: str) -> None:
    assert problem_with_https_address(address)
    with pytest.raises(ProbeFailed):
        fetch(address, bytes_max=LIMIT_BYTES)
