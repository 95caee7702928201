"""The view of a stream: unknown figures, faults, settings that differ, what needs attention."""

from __future__ import annotations

import msgspec

from app.domain.figures.counters import Counters
from app.domain.status import Phase, Reason
from tests.web.client import Client
from tests.web.fake_manager import FakeManager
from tests.web.fake_streams import make_peer, make_snapshot


def test_a_short_latency_brings_advice(script: Client) -> None:
    advice = script.get("/api/streams/parlmt/live").json["advice"]

    assert advice["is_enough"] is False
    assert advice["latency_ms"] > 300
    assert script.get("/api/streams/guestx/live").json["advice"] is None


def test_unknown_is_null_and_zero_is_zero(script: Client, manager: FakeManager) -> None:
    manager.streams["stoppd"] = make_snapshot("stoppd", manager.get("stoppd").spec, Phase.STOPPED)
    off_air = script.get("/api/streams/stoppd").json
    waiting = script.get("/api/streams/guestx").json
    hidden = script.get("/api/streams/longxx").json["peers"][0]

    assert off_air["payload_mbps"] is None
    assert off_air["sample_age_s"] is None
    assert off_air["worker"] is None
    assert waiting["payload_mbps"] == 0
    assert waiting["rtt_ms"] is None
    assert hidden["negotiated_latency_ms"] is None
    assert hidden["packets_dropped"] == 0


def test_a_fault_says_what_it_is_and_what_mends_it(script: Client) -> None:
    view = script.get("/api/streams/arenab").json

    assert (view["phase"], view["reason"], view["severity"]) == ("backing_off", "wrong_passphrase", "fault")
    assert view["retry_in_s"] == 24.3
    assert "passphrase" in view["remedy"]


def test_every_reason_has_words_and_a_remedy() -> None:
    from app.words.states import reason_text, remedy_text

    for reason in Reason:
        assert reason_text(reason)
        assert remedy_text(reason)


def test_settings_show_what_was_changed_on_the_way(script: Client) -> None:
    rows = {row["name"]: row for row in script.get("/api/streams/parlmt").json["settings"]}
    two_peers = {row["name"]: row for row in script.get("/api/streams/lineup").json["settings"]}

    assert (rows["Overhead"]["asked"], rows["Overhead"]["applied"], rows["Overhead"]["differs"]) == ("3 %", "5 %", True)
    assert rows["Encryption"]["negotiated"] == "secured"
    assert rows["QoS"]["applied"] == "DSCP 34"
    assert two_peers["Latency"]["negotiated"] == "200 / 500 ms"
    assert two_peers["Latency"]["differs"] is True


def test_an_unsecured_peer_of_an_encrypted_stream_is_flagged(script: Client, manager: FakeManager) -> None:
    snapshot = manager.get("parlmt")
    peers = (make_peer(1, encryption_state="no_secret"),)
    manager.streams["parlmt"] = make_snapshot("parlmt", snapshot.spec, Phase.DELIVERING, peers=peers, payload_mbps=1.0)

    row = next(row for row in script.get("/api/streams/parlmt").json["settings"] if row["name"] == "Encryption")

    assert row["differs"] is True


def test_dropping_packets_wants_attention(script: Client, manager: FakeManager) -> None:
    snapshot = manager.get("lineup")
    rates = msgspec.structs.replace(snapshot.rates, grown=Counters(packets_dropped_total=1))
    manager.streams["lineup"] = msgspec.structs.replace(snapshot, rates=rates)

    view = script.get("/api/streams/lineup").json

    assert (view["severity"], view["remark"]) == ("attention", "the sender drops packets")
