"""The hosts page and `/api/fleet` through the web layer."""

from __future__ import annotations

import json
import time
from pathlib import Path
from time import perf_counter

import pytest

from app import create_app
from app.domain.hosts import HostEntry
from app.domain.secret import Secret
from app.fleet.poller import HostPoller
from app.fleet.report import Contact, HostReport, RemoteDashboard, RemoteStream, parse_dashboard
from app.settings import BadSettings, read_settings
from app.web.presenters.hosts import present_fleet
from tests.web.fake_manager import FakeManager
from tests.web.fake_receptions import make_reception

KEY = "k" * 32


class PretendedPoller(HostPoller):
    """Eight hosts of ten streams each, without a network."""

    def __init__(self) -> None:
        super().__init__()
        self.hosts = tuple(
            HostEntry(f"mcr-{number}", f"http://192.0.2.{number}", Secret(KEY)) for number in range(1, 9)
        )

    def reports(self) -> list[tuple[HostEntry, HostReport]]:
        """Return a report of each host, received just now."""
        streams = [
            RemoteStream(
                f"abc{number}", f"A stream with a long name {number}", "good", "Delivering", "caller", "192.0.2.99:9000"
            )
            for number in range(10)
        ]
        report = HostReport(Contact.ANSWERED, heard_at=time.monotonic(), dashboard=RemoteDashboard(streams))
        return [(host, report) for host in self.hosts]


def test_eighty_streams_of_eight_hosts_fit_one_small_answer(tmp_path: Path) -> None:
    from dataclasses import replace

    from app.web.services import install_services, services_of

    settings = read_settings({"SECRET_KEY": KEY, "DATA_FOLDER": str(tmp_path), "MEDIA_FOLDER": str(tmp_path)})
    app = create_app(settings, manager=FakeManager())
    install_services(app, replace(services_of(app), hosts=PretendedPoller()))
    client = app.test_client()
    client.get("/hosts")  # opens a session
    answers, times = [], []
    for _ in range(5):
        began = perf_counter()
        answers.append(client.get("/api/fleet"))
        times.append(perf_counter() - began)
    body = answers[-1].get_data()
    assert answers[-1].status_code == 200, body
    fleet = json.loads(body)
    assert len([stream for stream in fleet["streams"] if stream["host"].startswith("mcr-")]) == 80
    assert len(body) < 40_000
    assert min(times) < 0.03
    assert KEY not in body.decode()


def test_receive_streams_of_every_host_are_told_from_send_streams() -> None:
    reported = (
        b'{"streams": [{"key": "abc", "label": "In", "severity": "good", "phase_text": "Delivering", '
        b'"direction": "receive"}, {"key": "old", "label": "Old", "severity": "good", "phase_text": "Delivering"}]}'
    )
    report = HostReport(Contact.ANSWERED, heard_at=1.0, dashboard=parse_dashboard(reported))
    other = HostEntry("mcr-2", "http://192.0.2.2", Secret(KEY))
    fleet = present_fleet([make_reception("ours")], [(other, report)], hostname="mcr-1", now=1.0)

    assert {stream.key: stream.direction for stream in fleet.streams} == {
        "ours": "receive",
        "abc": "receive",
        "old": "",
    }


def test_a_wrong_list_of_hosts_stops_the_start_with_the_entry(tmp_path: Path) -> None:
    listed = tmp_path / "hosts.json"
    listed.write_text('[{"name": "b", "url": "nowhere", "api_key": "secretsecret"}]')
    with pytest.raises(BadSettings, match="HOSTS: host 1: url") as caught:
        read_settings({"SECRET_KEY": KEY, "HOSTS": str(listed)})
    assert "secretsecret" not in str(caught.value)
    with pytest.raises(BadSettings, match=r"HOSTS: .* cannot be read"):
        read_settings({"SECRET_KEY": KEY, "HOSTS": str(tmp_path / "missing.json")})
