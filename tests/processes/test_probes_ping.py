"""ping and name look-up: their results, and what happens when their output cannot be read."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.probes import ping as ping_module
from app.probes import resolve as resolve_module
from app.probes.ping import PingResult, Rtt, parse_ping, ping
from app.probes.resolve import NameUnknown, resolve
from app.probes.run import Cancelled, CancelSwitch, ProbeFailed, ProgramMissing, TimedOut, TooMuchOutput
from tests.instruments.child import is_alive
from tests.instruments.fake_tools import FakeTools
from tests.instruments.waiting import wait_for

SUMMARY = """PING 192.0.2.7 (192.0.2.7) 56(84) bytes of data.
64 bytes from 192.0.2.7: icmp_seq=1 ttl=64 time=20.1 ms

--- 192.0.2.7 ping statistics ---
20 packets transmitted, 19 received, +2 duplicates, 5% packet loss, time 3807ms
rtt min/avg/max/mdev = 19.901/20.422/31.004/2.113 ms, pipe 2
"""


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeTools:
    return FakeTools(monkeypatch, tmp_path / "bin")


def test_the_summary_of_ping_is_read() -> None:
    assert parse_ping("192.0.2.7", SUMMARY) == PingResult("192.0.2.7", 20, 19, Rtt(19.901, 20.422, 31.004, 2.113))
    assert parse_ping("192.0.2.7", SUMMARY).loss_percent == 5


def test_no_reply_is_a_result_without_a_round_trip_time() -> None:
    text = "20 packets transmitted, 0 received, +3 errors, 100% packet loss, time 3807ms\n\n"
    assert parse_ping("192.0.2.7", text) == PingResult("192.0.2.7", 20, 0, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0 packets transmitted, 0 received, 100% packet loss",
        "5 packets transmitted, 9 received\nrtt min/avg/max/mdev = 1.0/2.0/3.0/0.1 ms",
        "5 packets transmitted, 5 received",
        "5 packets transmitted, 5 received\nrtt min/avg/max/mdev = 3.0/2.0/1.0/0.1 ms",
        "5 packets transmitted, 5 received\nrtt min/avg/max/mdev = nan/nan/nan/nan ms",
        "5 packets transmitted, 5 received\nrtt min/avg/max/mdev = 1.0/2.0/99999999.0/0.1 ms",
    ],
)
def test_a_summary_that_contradicts_itself_is_refused(text: str) -> None:
    with pytest.raises(ProbeFailed, match="cannot be read"):
        parse_ping("192.0.2.7", text)


@given(st.text())
def test_any_text_is_a_result_or_a_refusal(text: str) -> None:
    try:
        result = parse_ping("192.0.2.7", text)
    except ProbeFailed:
        return
    assert 0 <= result.received <= result.sent


def test_loopback_answers_within_a_millisecond() -> None:
    result = ping("127.0.0.1", count=3)
    assert (result.sent, result.received) == (3, 3)
    assert result.rtt is not None
    assert 0 < result.rtt.avg_ms < 5


def test_the_address_is_the_last_argument_behind_a_double_dash(tools: FakeTools) -> None:
    seen = tools.folder / "seen"
    script = tools.folder / "ping"
    script.write_text(f"#!/usr/bin/env python3\nimport sys\nopen({str(seen)!r}, 'w').write('\\n'.join(sys.argv[1:]))\n")
    script.chmod(0o755)
    with pytest.raises(ProbeFailed):
        ping("192.0.2.7")
    arguments = seen.read_text().splitlines()
    assert arguments[-2:] == ["--", "192.0.2.7"]
    assert arguments[0] == "-n"


@pytest.mark.parametrize("behaviour", ["garbage", "silence", "nonsense"])
def test_a_ping_that_makes_no_sense_is_refused(tools: FakeTools, behaviour: str) -> None:
    tools.pretend("ping", behaviour)
    with pytest.raises(ProbeFailed, match="read"):
        ping("192.0.2.7")


def test_a_ping_that_talks_without_end_is_stopped(tools: FakeTools) -> None:
    tools.pretend("ping", "flood")
    with pytest.raises(TooMuchOutput):
        ping("192.0.2.7")
    assert not any(is_alive(pid) for pid in tools.pids("ping"))


def test_a_ping_that_hangs_is_stopped_in_time(tools: FakeTools, monkeypatch: pytest.MonkeyPatch) -> None:
    tools.pretend("ping", "hang")
    monkeypatch.setattr(ping_module, "_WAIT_S", -2.5)
    with pytest.raises(TimedOut):
        ping("192.0.2.7", count=1)
    wait_for(lambda: not any(is_alive(pid) for pid in tools.pids("ping")), deadline_s=5, what="ping and its child gone")


def test_a_ping_that_is_not_installed_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramMissing, match="ping is not installed; it comes with the package iputils-ping"):
        ping("192.0.2.7")


def test_a_ping_without_privileges_says_what_to_do(tools: FakeTools) -> None:
    script = tools.folder / "ping"
    script.write_text("#!/bin/sh\necho 'ping: socktype: SOCK_RAW: Operation not permitted' >&2\nexit 2\n")
    script.chmod(0o755)
    with pytest.raises(ProbeFailed, match="ping_group_range"):
        ping("192.0.2.7")


def test_cancel_ends_ping_and_its_child(tools: FakeTools) -> None:
    tools.pretend("ping", "hang")
    switch = CancelSwitch()
    caught: list[type[BaseException]] = []

    def work() -> None:
        try:
            ping("192.0.2.7", cancel=switch)
        except Cancelled as error:
            caught.append(type(error))

    thread = threading.Thread(target=work)
    thread.start()
    pids = tools.wait_for_start("ping", processes=2)
    switch.throw()
    thread.join(5)
    assert caught == [Cancelled]
    wait_for(lambda: not any(is_alive(pid) for pid in pids), deadline_s=5, what="ping and its child gone")


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7"])
def test_an_address_is_not_looked_up(address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert resolve(address) == address


def test_a_name_is_looked_up_as_the_system_does() -> None:
    assert resolve("localhost") in ("127.0.0.1", "::1")


@pytest.mark.parametrize("host", ["-c", "a b", "a;id", "$(id)", "a\nb", "", "x" * 300, "fe80::1%eth0", "1.2.3"])
def test_what_is_no_host_never_reaches_a_program(host: str, tools: FakeTools) -> None:
    tools.pretend("getent", "silence")
    with pytest.raises(ValueError, match=r"host|address|name"):
        resolve(host)
    assert tools.pids("getent") == []


def test_an_unknown_name_is_said_to_be_unknown() -> None:
    with pytest.raises(NameUnknown, match=r"no-such-host\.invalid has no address"):
        resolve("no-such-host.invalid")


def test_a_name_server_that_hangs_is_given_up(tools: FakeTools) -> None:
    tools.pretend("getent", "hang")
    with pytest.raises(NameUnknown, match=r"name servers gave no address for a\.example within 0\.5 s"):
        resolve_module.resolve("a.example", timeout_s=0.5)
    wait_for(lambda: not any(is_alive(pid) for pid in tools.pids("getent")), deadline_s=5, what="getent gone")


@pytest.mark.parametrize("behaviour", ["garbage", "silence"])
def test_a_name_service_that_makes_no_sense_gives_no_address(tools: FakeTools, behaviour: str) -> None:
    tools.pretend("getent", behaviour)
    with pytest.raises(NameUnknown):
        resolve("a.example")
