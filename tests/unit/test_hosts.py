"""The list of other hosts, and how their answers are read."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.domain.hosts import HostEntry, parse_hosts, without
from app.domain.secret import Secret
from app.fleet import poller
from app.fleet.poller import STALE_AFTER_S
from app.fleet.report import Contact, HostReport, RemoteDashboard, parse_dashboard
from app.web.presenters.hosts import present_fleet
from tests.web.mixed_streams import mixed_streams

KEY = "k" * 32
STREAM = {"key": "abc234", "label": "News", "severity": "good", "phase_text": "Delivering", "payload_mbps": 8.0}


def entry(name: str = "mcr-b", url: str = "http://192.0.2.7:5000") -> dict[str, str]:
    return {"name": name, "url": url, "api_key": KEY}


@pytest.mark.parametrize(
    ("hosts", "words"),
    [
        ([entry(), entry("MCR-B")], "host 2: name: two hosts are called"),
        ([entry(url="ftp://192.0.2.7")], "host 1: url"),
        ([entry(url="http://" + "user:pass" + "@192.0.2.7")], "host 1: url"),
        ([entry(url="http://[::1")], "host 1: url"),
        ([entry(name="<b>")], "host 1: name"),
        ([{"name": "b", "url": "http://192.0.2.7"}], "api_key"),
        ([{**entry(), "colour": "red"}], "colour"),
        ([entry(f"host {number}") for number in range(65)], "the maximum is 64"),
    ],
)
def test_a_wrong_entry_is_named_with_its_field(hosts: list[dict[str, str]], words: str) -> None:
    with pytest.raises(ValueError, match=r"host|api_key|colour|maximum") as caught:
        parse_hosts(json.dumps(hosts))
    assert words in str(caught.value)
    assert KEY not in str(caught.value)


def test_all_hosts_may_have_one_list() -> None:
    entries = parse_hosts(json.dumps([entry("mcr-a"), entry("mcr-b")]))
    assert [each.name for each in without(entries, "MCR-A")] == ["mcr-b"]


def test_an_entry_never_shows_its_key() -> None:
    assert KEY not in repr(parse_hosts(json.dumps([entry()])))


class OtherHost(BaseHTTPRequestHandler):
    """Answers as `answers` says; a text is sent byte by byte, for ever, at once or each tenth of a second."""

    answers: tuple[int, bytes] | str = (200, b"{}")

    def do_GET(self) -> None:
        if isinstance(self.answers, str):
            self._drip(self.answers)
            return
        status, body = self.answers
        self.send_response(status if self.headers["Authorization"] == f"Bearer {KEY}" else 401)
        self.send_header("Location", self.path)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self, what: str) -> None:
        if what != "headers":
            self.send_response(200)
            self.end_headers()
        hold = threading.Event()
        with contextlib.suppress(OSError):
            while what == "endless" or not hold.wait(0.1):
                self.wfile.write(b" " * 65536 if what == "endless" else b"x")

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def other() -> Iterator[HostEntry]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), OtherHost)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield HostEntry("mcr-b", f"http://127.0.0.1:{server.server_port}", Secret(KEY))
    server.shutdown()
    server.server_close()


def test_a_good_answer_is_read(other: HostEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    body = json.dumps({"streams": [{**STREAM, "new_field": 1}], "system": {"hostname": "b", "version": "0.2.0"}})
    monkeypatch.setattr(OtherHost, "answers", (200, body.encode()))
    report = poller.ask(other, HostReport())
    assert report.contact is Contact.ANSWERED
    assert [stream.label for stream in report.dashboard.streams] == ["News"]


@pytest.mark.parametrize(
    ("answers", "contact"),
    [
        ((200, b"<html>"), Contact.GARBLED),
        ((200, b'{"streams": [{"key": 5}]}'), Contact.GARBLED),
        ((200, b" " * (5 << 20)), Contact.SILENT),
        ((503, b"{}"), Contact.GARBLED),
        ((301, b""), Contact.GARBLED),
        ((200, b'{"streams": {}}'), Contact.GARBLED),
        ((200, b'{"x": ' + b"[" * 100_000), Contact.GARBLED),
        ((200, json.dumps({"streams": [{**STREAM, "label": "x" * 301}]}).encode()), Contact.GARBLED),
        ((200, json.dumps({"streams": [{**STREAM, "peers": -1}]}).encode()), Contact.GARBLED),
        ((200, json.dumps({"streams": [STREAM] * 501}).encode()), Contact.GARBLED),
        ((200, b'{"streams": [{"key": "a", "label": "\xff\xfe", "severity": "", "phase_text": ""}]}'), Contact.GARBLED),
        ("headers", Contact.SILENT),
        ("body", Contact.SILENT),
        ("endless", Contact.SILENT),
    ],
)
def test_a_bad_answer_keeps_what_was_known(
    other: HostEntry, monkeypatch: pytest.MonkeyPatch, answers: tuple[int, bytes] | str, contact: Contact
) -> None:
    monkeypatch.setattr(poller, "ANSWER_WITHIN_S", 0.5)
    monkeypatch.setattr(OtherHost, "answers", answers)
    before = HostReport(Contact.ANSWERED, heard_at=5.0, dashboard=RemoteDashboard([]))
    began = time.monotonic()
    report = poller.ask(other, before)
    assert (report.contact, report.heard_at) == (contact, 5.0)
    assert time.monotonic() - began < 1.5


def test_a_wrong_key_is_said(other: HostEntry) -> None:
    report = poller.ask(HostEntry(other.name, other.url, Secret("w" * 32)), HostReport())
    assert report.contact is Contact.REFUSED


def test_a_host_that_is_silent_is_grey_and_never_green() -> None:
    host = HostEntry("mcr-b", "http://192.0.2.7:5000", Secret(KEY))
    dashboard = RemoteDashboard([parse_dashboard(json.dumps({"streams": [STREAM]}).encode()).streams[0]])
    heard = HostReport(Contact.ANSWERED, heard_at=100.0, dashboard=dashboard)

    fresh = present_fleet([], [(host, heard)], hostname="a", now=101.0)
    old = present_fleet([], [(host, heard)], hostname="a", now=100.1 + STALE_AFTER_S)
    assert (fresh.hosts[1].state, fresh.streams[0].severity) == ("answers", "good")
    assert (old.hosts[1].state, old.streams[0].severity, old.hosts[1].streams) == ("stale", "unknown", None)
    assert old.hosts[1].age_s == pytest.approx(STALE_AFTER_S + 0.1, abs=0.06)


def test_a_jump_of_the_clock_changes_no_age(monkeypatch: pytest.MonkeyPatch) -> None:
    host, heard = HostEntry("mcr-b", "http://192.0.2.7:5000", Secret(KEY)), answered("b", STREAM)
    for jump_s in (-86_400.0, 86_400.0):
        now = time.time() + jump_s
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda now=now: now)
            shown = present_fleet([], [(host, heard)], hostname="a", now=101.0)
        assert (shown.hosts[1].state, shown.hosts[1].age_s) == ("answers", 1.0)


def test_one_host_that_hangs_delays_no_other(other: HostEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OtherHost, "answers", (200, json.dumps({"streams": [STREAM]}).encode()))
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as silent:  # accepts, and never answers
        hanging = HostEntry("hangs", f"http://127.0.0.1:{silent.server_port}", Secret(KEY))
        running = poller.HostPoller([hanging, other])
        deadline = threading.Event()
        for _ in range(100):
            reports = {host.name: report for host, report in running.reports()}
            if reports["mcr-b"].contact is Contact.ANSWERED:
                break
            deadline.wait(0.02)
        running.close()
    assert reports["mcr-b"].contact is Contact.ANSWERED
    assert reports["hangs"].contact is Contact.NEVER


def answered(hostname: str, *streams: dict[str, object]) -> HostReport:
    document = {"streams": streams, "system": {"hostname": hostname}}
    dashboard = parse_dashboard(json.dumps(document).encode())
    return HostReport(Contact.ANSWERED, heard_at=100.0, dashboard=dashboard)


def test_a_host_has_the_severity_of_its_worst_stream() -> None:
    host = HostEntry("mcr-b", "http://192.0.2.7:5000", Secret(KEY))
    faulty = [{**STREAM, "severity": severity} for severity in ("good", "fault", "idle")]
    shown = present_fleet(mixed_streams(), [(host, answered("b", *faulty))], hostname="a", now=101.0)
    assert [each.severity for each in shown.hosts] == ["fault", "fault"]
    assert present_fleet([], [(host, answered("b", STREAM))], hostname="a", now=101.0).hosts[1].severity == "good"
    assert present_fleet([], [(host, answered("b", STREAM))], hostname="a", now=200.0).hosts[1].severity == "unknown"


def test_two_hosts_that_call_themselves_the_same_are_said() -> None:
    hosts = [HostEntry(name, "http://192.0.2.7", Secret(KEY)) for name in ("mcr-b", "mcr-c")]
    shown = present_fleet([], [(host, answered("b")) for host in hosts], hostname="a", now=101.0)
    assert [each.state_text for each in shown.hosts[1:]] == ["Answers as b, as another host does"] * 2


def test_a_stream_of_a_cluster_is_shown_once_by_the_host_that_carries_it() -> None:
    hosts = [HostEntry(name, "http://192.0.2.7", Secret(KEY)) for name in ("mcr-b", "mcr-c")]
    reports = [answered("b", STREAM), answered("c", {**STREAM, "host": "b"})]
    shown = present_fleet([], list(zip(hosts, reports, strict=True)), hostname="a", now=101.0)
    assert [(each.host, each.key) for each in shown.streams] == [("mcr-b", "abc234")]
