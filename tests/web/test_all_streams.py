"""Orders to all streams at once: each stream follows on its own."""

from __future__ import annotations

from app.domain.errors import PortInUse
from app.domain.verdict import ORDERED


def test_all_streams_are_stopped_and_started_again(script, manager):
    on_air = {key for key, seen in manager.streams.items() if seen.status.phase in ORDERED}
    answer = script.post("/api/streams/stop-all")
    assert answer.status_code == 200
    assert {view["key"] for view in answer.json["streams"]} == on_air
    assert answer.json["refused"] == []
    answer = script.post("/api/streams/start-all")
    assert {view["key"] for view in answer.json["streams"]} == set(manager.streams)


def test_a_stream_that_cannot_start_holds_no_other_up_and_is_named(script, manager, monkeypatch):
    script.post("/api/streams/stop-all")
    restart = manager.restart

    def refuse_one(key, *, actor):
        if key == "lineup":
            raise PortInUse("port 10001 is taken: another program")
        return restart(key, actor=actor)

    monkeypatch.setattr(manager, "restart", refuse_one)
    answer = script.post("/api/streams/start-all").json
    assert len(answer["streams"]) == len(manager.streams) - 1
    assert answer["refused"] == [
        {"key": "lineup", "label": "Line-up bars", "message": "port 10001 is taken: another program"}
    ]
