"""What ping and iperf3 print in a network test, and how a test is started and read."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from tests.instruments.waiting import wait_for

PING = "20 packets transmitted, 20 received, 0% packet loss\nrtt min/avg/max/mdev = 39.1/40.0/41.5/0.4 ms\n"


UDP = {
    "end": {
        "sum": {"seconds": 10, "bits_per_second": 8e6, "jitter_ms": 0.2, "lost_packets": 190, "packets": 7600},
        "sum_received": {"bits_per_second": 7.8e6},
    }
}


TCP = {
    "start": {"tcp_mss_default": 1448},
    "end": {
        "sum_sent": {"seconds": 10, "bytes": 14_480_000, "bits_per_second": 11.6e6, "retransmits": 5},
        "sum_received": {"seconds": 10, "bytes": 14_400_000, "bits_per_second": 11.5e6},
    },
}


MANUAL = {"mode": "manual", "host": "127.0.0.1", "port": 9, "bitrate_mbps": 8.0, "duration_s": 1}


def start(client: FlaskClient, **order: Any) -> dict[str, Any]:
    answer = client.post("/api/network-tests", json=order or MANUAL)
    assert answer.status_code == 202, answer.get_data(as_text=True)
    return dict(answer.get_json())


def ended(client: FlaskClient, test_id: str) -> dict[str, Any]:
    def view() -> dict[str, Any]:
        shown = dict(client.get(f"/api/network-tests/{test_id}").get_json())
        return shown if shown["state"] != "running" else {}

    return wait_for(view, deadline_s=20, what="the test ended")


def run(client: FlaskClient, **order: Any) -> dict[str, Any]:
    return ended(client, start(client, **order)["id"])


def figure(view: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [shown for shown in view["figures"] if shown["name"] == name]
    return dict(found)
