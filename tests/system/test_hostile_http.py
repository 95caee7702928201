"""Clients that are slow, endless, too many or speak no HTTP: the pages answer others, and no stream notices."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import time
from collections.abc import Iterator

import pytest

from tests.instruments.audience import Viewer, audience
from tests.instruments.child import open_files
from tests.instruments.product import Product
from tests.instruments.waiting import stays, wait_for

THREADS = 8
CONNECTIONS_MAX = 200
# Generous: the machine may be busy. A thread held by a slow client would hold the answer for ever.
ANSWER_WITHIN_S = 5
HUNG_UP = 0  # in place of a status


@pytest.fixture
def on_air(product: Product) -> Iterator[Viewer]:
    """A stream that must not notice, on a product whose log must not hold a failure."""
    before = product.log_file.read_text().count("request failed")
    web = product.web.pid
    with audience(product, 1) as (viewer,):
        yield viewer
        view = product.stream(viewer.key)
        assert (view["worker"]["pid"], view["restarts"]) == (viewer.worker_pid, 0)
        assert viewer.verdict().is_whole
    assert product.web.pid == web
    assert product.web.is_running()
    assert product.log_file.read_text().count("request failed") == before


def connect(product: Product) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", product.port), timeout=10)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def head(product: Product, line: str, *fields: str) -> bytes:
    key = f"Authorization: Bearer {product.api_key}"
    return "\r\n".join([line, f"Host: 127.0.0.1:{product.port}", key, *fields, "", ""]).encode()


def exchange(product: Product, sent: bytes) -> bytes:
    """Send bytes and take what comes until the server closes or has said nothing for a while."""
    received = b""
    with connect(product) as client:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, TimeoutError):
            client.sendall(sent)
        client.settimeout(0.5)
        with contextlib.suppress(ConnectionResetError, TimeoutError):
            with contextlib.suppress(OSError):  # the server may have closed already
                client.shutdown(socket.SHUT_WR)
            while part := client.recv(65536):
                received += part
    return received


def statuses(answer: bytes) -> list[int]:
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:] + answer.split(b"HTTP/1.0 ")[1:]]


def test_slow_clients_on_more_connections_than_threads_hold_nobody_up(product: Product, on_air: Viewer) -> None:
    body = head(product, "POST /api/streams HTTP/1.1", "Content-Length: 1000") + b"{"
    kinds = [
        b"GET / HT",
        head(product, "GET / HTTP/1.1")[:-2],
        body,
        head(product, "POST /api/streams HTTP/1.1", "Transfer-Encoding: chunked") + b"ff\r\n{",
        head(product, "GET /static/vendor/chartjs/chart.umd.min.js HTTP/1.1"),  # and never read
        head(product, "GET /api/dashboard?spark=1 HTTP/1.1") * 50,
    ]
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connect(product)) for _ in range(4 * THREADS)]
        for number, client in enumerate(slow):
            client.sendall(kinds[number % len(kinds)])
        for _ in range(10):
            for client in slow[0::6] + slow[2::6]:
                with contextlib.suppress(OSError):
                    client.sendall(b"x")  # still there, and no faster
            answer = product.get("/api/streams")
            assert (answer.status, answer.took_s < ANSWER_WITHIN_S) == (200, True)


def test_many_idle_connections_leave_room_for_others(product: Product, on_air: Viewer) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(150):
            stack.enter_context(connect(product))
        answer = product.get("/")
        assert (answer.status, answer.took_s < ANSWER_WITHIN_S) == (200, True)
    assert product.get("/").status == 200


def test_more_connections_than_are_let_in_wait_outside_and_idle_ones_are_closed(
    product: Product, on_air: Viewer
) -> None:
    def is_answered() -> bool:
        with contextlib.suppress(OSError):
            return product.get("/").status == 200
        return False

    before = open_files(product.web.pid)
    with contextlib.ExitStack() as stack:
        for _ in range(CONNECTIONS_MAX + 50):
            stack.enter_context(connect(product))
        wait_for(lambda: open_files(product.web.pid) > before + 50, deadline_s=10, what="connections let in")
        stays(lambda: open_files(product.web.pid) <= before + CONNECTIONS_MAX + 10, for_s=2, what="the limit kept")
        # The idle ones go after half a minute, which lets those in that waited outside.
        wait_for(is_answered, deadline_s=120, what="an answer while all idle clients still hold on")


def test_a_body_without_an_end_is_cut_off(product: Product, on_air: Viewer) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    start = head(product, "POST /api/streams HTTP/1.1", "Transfer-Encoding: chunked")
    sent = 0
    with connect(product) as client:
        client.sendall(start)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while sent < 64 << 20:
                client.sendall(chunk)
                sent += len(chunk)
    assert sent < 64 << 20, "the server hung up"
    assert product.get("/api/streams").status == 200


@pytest.mark.parametrize(
    ("line", "fields", "expected"),
    [
        ("POST /api/streams HTTP/1.1", ["Content-Length: 5000000"], {413}),
        ("POST /api/streams HTTP/1.1", ["Content-Length: 99999999999999999999"], {400, 413}),
        ("POST /api/streams HTTP/1.1", ["Content-Length: -1"], {400}),
        ("POST /api/streams HTTP/1.1", ["Content-Length: 5", "Content-Length: 6"], {400}),
        ("POST /api/streams HTTP/1.1", ["Transfer-Encoding: chunked, chunked"], {400, 501, HUNG_UP}),
        ("GET /api/streams HTTP/1.1", ["X-Long: " + "x" * 40_000], {431}),
        ("GET /" + "x" * 40_000 + " HTTP/1.1", [], {431, 414, 400}),
        ("GET /api/streams HTTP/1.1", ["Bad Header"], {400}),
        ("GET /api/streams HTTP/9.9", [], {400, 505, 200}),
        ("GET http://[::1 HTTP/1.1", [], {400, 404, HUNG_UP}),
        ("\x00\x01\x02", [], {400}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_requests_that_are_none_are_refused(product: Product, line: str, fields: list[str], expected: set[int]) -> None:
    answer = exchange(product, head(product, line, *fields))
    assert set(statuses(answer) or [HUNG_UP]) <= expected, answer[:300]
    assert product.get("/api/streams").status == 200


@pytest.mark.parametrize("path", ["/", "/api/streams"])
def test_a_page_whose_foreign_name_leads_here_cannot_give_itself_ours(product: Product, path: str) -> None:
    own = f"127.0.0.1:{product.port}"
    claims = [f"X-Forwarded-Host: {own}", f"Forwarded: host={own}", f"X-Host: {own}", "X-Forwarded-For: 127.0.0.1"]
    asked = [f"GET {path} HTTP/1.1", "Host: evil.example", *claims, "Connection: close", "", ""]
    answer = exchange(product, "\r\n".join(asked).encode())
    assert statuses(answer) == [400]
    assert b"TRUSTED_HOSTS" in answer
    whole = [f"GET http://evil.example{path} HTTP/1.1", f"Host: {own}", "Connection: close", "", ""]
    assert b"evil.example" not in exchange(product, "\r\n".join(whole).encode())


def test_a_second_request_cannot_be_smuggled_behind_a_first(product: Product) -> None:
    inner = b"DELETE /api/streams/abcdef HTTP/1.1\r\nHost: x\r\n\r\n"
    both = head(
        product, "POST /api/streams HTTP/1.1", f"Content-Length: {len(inner) + 5}", "Transfer-Encoding: chunked"
    )
    answer = exchange(product, both + b"0\r\n\r\n" + inner)
    assert all(status in (400, 401, 404) for status in statuses(answer)), answer[:500]


def test_bytes_that_are_no_http_at_all_cost_nothing(product: Product, on_air: Viewer) -> None:
    chance = random.Random(11)
    deadline = time.monotonic() + 60
    for _ in range(60):
        exchange(product, chance.randbytes(chance.choice([1, 10, 1000, 40_000])))
        assert time.monotonic() < deadline
    exchange(product, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500))  # a TLS hello
    assert product.get("/api/streams").status == 200
