"""The verdict as another system receives it, and what happens when that system does not take it."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator

import msgspec
import pytest

from app.domain.lineup.plan import LocalReceiver, Plan
from app.domain.lineup.run import Run, RunState
from app.lineup import webhook
from app.lineup.webhook import send_notice
from tests.instruments.waiting import free_port

RUN = Run(
    id="20261124-200000-abcd",
    plan=Plan(receiver=LocalReceiver("k"), far_end="Åre"),
    state=RunState.DONE,
    started_at=1.0,
    performance_at=2.0,
    finished_at=3.0,
).judged()


class Booking(http.server.ThreadingHTTPServer):
    """A booking system that answers with `statuses`, one after the other."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.received: list[dict[str, object]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Booking

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(json.loads(body))
        self.send_response(self.server.statuses.pop(0))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "_PAUSES_S", (0.0, 0.0, 0.0))


@pytest.fixture
def booking(request: pytest.FixtureRequest) -> Iterator[Booking]:
    server = Booking(*request.param)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def address(server: Booking) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/hook?x=1"


@pytest.mark.parametrize("booking", [(200,), (500, 204)], indirect=True)
def test_the_notice_has_the_verdict_and_is_sent_again_until_it_is_taken(booking: Booking) -> None:
    assert send_notice(address(booking), RUN, threading.Event()) is None
    assert booking.statuses == []
    notice = booking.received[-1]
    assert (notice["id"], notice["far_end"], notice["verdict"]) == (RUN.id, "Åre", "remarks")
    assert RUN.conclusion is not None
    assert notice["headline"] == RUN.conclusion.headline


@pytest.mark.parametrize("booking", [(302, 302, 302)], indirect=True)
def test_a_system_that_never_takes_it_is_asked_three_times_and_the_answer_is_named(booking: Booking) -> None:
    assert send_notice(address(booking), RUN, threading.Event()) == "it answered 302"
    assert len(booking.received) == 3


def test_a_system_that_is_not_there_is_named_and_a_closing_program_does_not_wait() -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    assert "refused" in str(send_notice(url, RUN, threading.Event())).lower()
    closed = threading.Event()
    closed.set()
    assert send_notice(url, RUN, closed) is None


def test_a_run_that_measured_nothing_has_no_verdict() -> None:
    failed = msgspec.structs.replace(RUN, state=RunState.FAILED, conclusion=None, problem="the stream is gone")
    notice = webhook.notice_of(failed)
    assert (notice.verdict, notice.headline) == (None, "the stream is gone")
