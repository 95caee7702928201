"""Health, metrics, the machine, media and channels."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.domain.errors import NotFound
from app.domain.figures.history import Second
from app.domain.spec import BarsSource, ListenerEndpoint, ReceiveSpec, RelaySpec, SendSpec
from app.domain.spec.relay import Target
from app.domain.status import Phase
from app.settings import Settings
from tests.instruments.ts_maker import Recipe, make_ts
from tests.instruments.waiting import wait_for
from tests.web.client import Client
from tests.web.fake_manager import FakeManager
from tests.web.fake_receptions import KEY as RECEIVED
from tests.web.fake_receptions import make_reception
from tests.web.fake_streams import make_peer, make_snapshot


@pytest.fixture
def media(settings: Settings) -> Any:
    """A media folder with a file, a folder with a file, and a file that is none."""
    content = make_ts(Recipe(seconds=1.0))
    (settings.media_folder / "bars.ts").write_bytes(content)
    (settings.media_folder / "ird").mkdir()
    (settings.media_folder / "ird" / "<script>alert(1)<∕script>.ts").write_bytes(content)
    (settings.media_folder / "letter.ts").write_text("no transport stream")
    return settings.media_folder


def keep(manager: FakeManager, *keys: str) -> None:
    manager.streams = {key: manager.streams[key] for key in keys}


def test_health_is_good_when_every_ordered_stream_is_well(stranger: Client, manager: FakeManager) -> None:
    keep(manager, "lineup", "guestx", "stoppd")
    answer = stranger.get("/health")

    assert answer.status_code == 200
    assert answer.json == {
        "status": "ok",
        "parts": dict.fromkeys(["store", "log", "runtime_folder", "media_folder", "streams"], "ok"),
    }


@pytest.mark.parametrize("key", ["arenab", "stallx", "failed"])
def test_health_is_a_fault_when_a_stream_is(stranger: Client, manager: FakeManager, key: str) -> None:
    keep(manager, "lineup", key)
    answer = stranger.get("/health")

    assert answer.status_code == 503
    assert answer.json["parts"]["streams"] == "fault"
    assert answer.json["parts"]["store"] == "ok"


def test_health_is_a_fault_without_store_or_media_folder(
    stranger: Client, manager: FakeManager, settings: Settings
) -> None:
    keep(manager, "lineup")
    manager.store_fault = "disk full at /secret/place"
    settings.media_folder.rmdir()
    answer = stranger.get("/health")

    assert answer.status_code == 503
    assert answer.json["parts"] == {
        "store": "fault",
        "log": "ok",
        "runtime_folder": "ok",
        "media_folder": "fault",
        "streams": "ok",
    }
    assert "secret" not in answer.get_data(as_text=True)


def metrics_of(client: Client) -> dict[str, list[Any]]:
    text = client.get("/metrics").get_data(as_text=True)
    return {family.name: family.samples for family in text_string_to_metric_families(text)}


def test_metrics_agree_with_the_api(script: Client) -> None:
    view = script.get("/api/streams/parlmt").json
    metrics = metrics_of(script)

    def value(name: str) -> float:
        (sample,) = [sample for sample in metrics[name] if sample.labels["key"] == "parlmt"]
        return float(sample.value)

    assert value("srt_stream_packets_dropped") == view["totals"]["packets_dropped"] == 14
    assert value("srt_stream_payload_bits_per_second") == pytest.approx(view["payload_mbps"] * 1e6)
    assert value("srt_stream_peers") == 1
    assert value("srt_peer_rtt_seconds") == pytest.approx(view["peers"][0]["rtt_ms"] / 1000, abs=1e-4)
    phases = {s.labels["phase"]: s.value for s in metrics["srt_stream_phase"] if s.labels["key"] == "parlmt"}
    assert [phase for phase, is_on in phases.items() if is_on] == ["delivering"]


def test_metrics_have_only_figures_that_a_job_measures(script: Client, manager: FakeManager) -> None:
    relay = RelaySpec(10_005, Target("127.0.0.1", 10_001))
    manager.streams["relay1"] = make_snapshot("relay1", relay, Phase.DELIVERING, peers=(make_peer(rtt_ms=0.0),))
    manager.streams[RECEIVED] = make_reception(RECEIVED)
    metrics = metrics_of(script)

    def having(key: str) -> set[str]:
        return {name for name, samples in metrics.items() for each in samples if each.labels.get("key") == key}

    sent, received, relayed = having("parlmt"), having(RECEIVED), having("relay1")
    common = {f"srt_stream_{name}" for name in ("payload_bytes", "wire_bytes", "input_bytes", "healthy", "peers")}
    of_a_sender = {"acks", "naks", "packets_dropped", "packets_sent_unique", "packets_retransmitted"}
    of_a_sender |= {"packets_reported_lost", "continuity_errors", "receivers_expected", "receivers_missing"}
    assert common <= sent & received & relayed
    assert {f"srt_stream_{name}" for name in of_a_sender} <= sent
    assert not {f"srt_stream_{name}" for name in of_a_sender} & (received | relayed)
    assert not {name for name in sent | relayed if name.startswith("srt_reception_")}
    assert "srt_reception_packets_dropped" in received
    assert {"srt_peer_payload_bytes", "srt_peer_wire_bytes"} == {n for n in relayed if n.startswith("srt_peer_")}


def test_metrics_do_not_make_zero_of_what_is_unknown(script: Client) -> None:
    metrics = metrics_of(script)

    assert "failed" not in {sample.labels["key"] for sample in metrics["srt_stream_payload_bits_per_second"]}
    assert {s.labels["key"]: s.value for s in metrics["srt_stream_healthy"]}["failed"] == 0


def test_the_dashboards_poll_is_small(script: Client) -> None:
    assert len(script.get("/api/dashboard?spark=1").data) < 12_000
    assert len(script.get("/api/dashboard").data) < 12_000


def test_a_stream_that_is_removed_while_the_dashboard_is_made_costs_no_other_stream(
    script: Client, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = manager.history

    def history(key: str, seconds: int, /) -> list[Second]:
        if key == "lineup":
            raise NotFound("there is no stream lineup")
        return whole(key, seconds)

    monkeypatch.setattr(manager, "history", history)
    answer = script.get("/api/dashboard?spark=1")
    assert answer.status_code == 200
    assert len(answer.json["streams"]) == len(manager.list())


def test_the_dashboard_says_how_all_are(script: Client) -> None:
    answer = script.get("/api/dashboard?spark=1").json

    assert answer["overview"]["fault"] == 3
    assert answer["overview"]["attention"] == 1
    assert answer["overview"]["on_air"] == 7
    assert len(answer["streams"]) == 10
    assert len(answer["streams"][2]["spark"]) == 60
    assert 10001 not in answer["free_ports"]
    assert answer["system"]["sending_mbps"] == pytest.approx(54.5, abs=0.1)


def test_what_is_received_does_not_count_as_sent(script: Client, manager: FakeManager) -> None:
    sends = SendSpec(ListenerEndpoint(10001), BarsSource())
    receives = ReceiveSpec(ListenerEndpoint(10002))
    manager.streams = {
        "out": make_snapshot("out", sends, Phase.DELIVERING, peers=(make_peer(1),), payload_mbps=8.0),
        "in": make_snapshot("in", receives, Phase.DELIVERING, peers=(make_peer(2),), payload_mbps=5.0),
    }

    assert script.get("/api/dashboard").json["system"]["sending_mbps"] == pytest.approx(8.0)


def test_the_machine_is_told_as_it_is(script: Client) -> None:
    system = script.get("/api/system").json

    assert system["hostname"] == os.uname().nodename
    assert system["streams_max"] == 10
    assert 0 < system["memory_used_mb"] < system["memory_total_mb"]
    assert 0 <= system["disk_used_percent"] <= 100


def test_the_engines_versions_come_without_loading_it(script: Client) -> None:
    system = wait_for(
        lambda: (found := script.get("/api/system").json)["gstreamer_version"] and found, deadline_s=30, what="versions"
    )

    assert system["gstreamer_version"].startswith("1.")
    assert system["libsrt_version"].startswith("1.")


def test_interfaces_are_named(script: Client) -> None:
    interfaces = script.get("/api/interfaces").json["interfaces"]

    loopback = next(found for found in interfaces if found["name"] == "lo")
    assert loopback["is_loopback"] is True
    assert "127.0.0.1" in loopback["addresses"]


def test_the_media_folder_is_listed_with_what_is_wrong(script: Client, media: Path) -> None:
    top = script.get("/api/media").json
    below = script.get("/api/media?path=ird").json

    assert [folder["name"] for folder in top["folders"]] == ["ird"]
    by_name = {file["name"]: file for file in top["files"]}
    assert by_name["bars.ts"]["problem"] is None
    assert by_name["bars.ts"]["check"]["is_constant_bitrate"] is True
    assert by_name["letter.ts"]["problem"]
    assert below["parent"] == ""
    assert below["files"][0]["name"] == "<script>alert(1)<∕script>.ts"


@pytest.mark.parametrize("path", ["..", "/etc", "nowhere", "a\0b"])
def test_a_folder_that_is_not_ours_is_not_listed(script: Client, media: Path, path: str) -> None:
    answer = script.get("/api/media", query_string={"path": path})

    assert answer.status_code == 400
    assert "source.path" in answer.json["error"]["fields"]


def test_a_file_is_checked_before_it_is_sent(script: Client, media: Path) -> None:
    assert script.get("/api/media/check?path=bars.ts").json["bitrate_bps"] == pytest.approx(3_000_000, rel=0.01)
    assert script.get("/api/media/check?path=letter.ts").status_code == 400


def test_a_file_is_analysed_in_the_background(script: Client, browser: Client, media: Path) -> None:
    assert browser.get("/media_info/bars.ts").status_code == 200

    def analysis() -> Any:
        answer = script.get("/api/media/info?path=bars.ts&overhead_percent=50").json
        return answer if answer["state"]["phase"] == "done" else None

    answer = wait_for(analysis, deadline_s=60, what="the analysis")
    assert answer["state"]["analysis"]["is_constant_bitrate"] is True
    assert answer["needed_mbps"] == pytest.approx(3 * (1360 / 1316) * 1.5, rel=0.02)


def test_the_channels_of_the_house_are_listed(script: Client, settings: Settings) -> None:
    (settings.data_folder / "iptv_channels.json").write_text('[{"name": "Ett", "address": "239.1.1.1", "port": 1}]')

    assert script.get("/api/channels").json["channels"][0]["name"] == "Ett"


def test_without_a_list_of_its_own_the_house_has_the_shipped_one(script: Client) -> None:
    assert len(script.get("/api/channels").json["channels"]) > 0
