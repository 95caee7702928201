"""Orders to all streams at once: a stream that cannot follow does not affect the others."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from app.domain.errors import PortInUse
from app.domain.verdict import ORDERED
from tests.web.client import Client
from tests.web.fake_manager import FakeManager


def test_all_streams_are_stopped_and_started_again(script: Client, manager: FakeManager) -> None:
    on_air = {key for key, seen in manager.streams.items() if seen.status.phase in ORDERED}
    answer = script.post("/api/streams/stop-all")
    assert answer.status_code == 200
    assert {view["key"] for view in answer.json["streams"]} == on_air
    assert answer.json["refused"] == []
    answer = script.post("/api/streams/start-all")
    assert {view["key"] for view in answer.json["streams"]} == set(manager.streams)


def test_a_stream_that_cannot_start_holds_no_other_up_and_is_named(
    script: Client, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.post("/api/streams/stop-all")
    restart = manager.restart

    def refuse_one(key: str, *, actor: str) -> Any:
        if key == "lineup":
            raise PortInUse("port 10001 is taken: another program")
        return restart(key, actor=actor)

    monkeypatch.setattr(manager, "restart", refuse_one)
    answer = script.post("/api/streams/start-all").json
    assert len(answer["streams"]) == len(manager.streams) - 1
    assert answer["refused"] == [
        {"key": "lineup", "label": "Line-up bars", "message": "port 10001 is taken: another program"}
    ]


def put_into_group(manager: FakeManager, group: str, *keys: str) -> None:
    for key in keys:
        seen = manager.streams[key]
        manager.streams[key] = msgspec.structs.replace(seen, spec=msgspec.structs.replace(seen.spec, group=group))


def test_a_group_is_stopped_and_started_and_no_other_stream_notices(script: Client, manager: FakeManager) -> None:
    put_into_group(manager, "Match day", "lineup", "parlmt")
    answer = script.post("/api/streams/stop-all", json={"group": "Match day"})
    assert {view["key"] for view in answer.json["streams"]} == {"lineup", "parlmt"}
    assert {key for order, key, _ in manager.orders if order == "stop"} == {"lineup", "parlmt"}
    answer = script.post("/api/streams/start-all", json={"group": "Match day"})
    assert {key for order, key, _ in manager.orders if order == "restart"} == {"lineup", "parlmt"}
    assert [view["spec"]["group"] for view in answer.json["streams"]] == ["Match day", "Match day"]


def test_streams_are_stopped_by_their_keys_and_an_empty_list_stops_none(script: Client, manager: FakeManager) -> None:
    assert script.post("/api/streams/stop-all", json={"keys": []}).json == {"streams": [], "refused": []}
    script.post("/api/streams/stop-all", json={"keys": ["lineup"]})
    assert [(order, key) for order, key, _ in manager.orders] == [("stop", "lineup")]


def test_an_empty_document_means_all_as_no_document_does(script: Client, manager: FakeManager) -> None:
    on_air = {key for key, seen in manager.streams.items() if seen.status.phase in ORDERED}
    assert {view["key"] for view in script.post("/api/streams/stop-all", json={}).json["streams"]} == on_air


@pytest.mark.parametrize(
    ("document", "field", "words"),
    [
        ({"group": "Nowhere"}, "group", "choose one of Match day"),
        ({"group": ""}, "group", "choose one of Match day"),
        ({"keys": ["unknown", "lineup"]}, "keys", "there is no stream unknown; leave it out"),
        ({"keys": "lineup"}, "keys", '{"keys": ["KEY", …]}'),
        ({"group": 7}, "group", '{"group": "NAME"}'),
        ({"name": "Match day"}, "name", '{"group": "NAME"}'),
        ({"group": "Match day", "keys": ["lineup"]}, "keys", "not both"),
        ([1], "body", '{"group": "NAME"}'),
    ],
)
def test_a_choice_that_cannot_be_followed_stops_nothing_and_says_what_to_send(
    script: Client, manager: FakeManager, document: Any, field: str, words: Any
) -> None:
    put_into_group(manager, "Match day", "lineup")
    answer = script.post("/api/streams/stop-all", json=document)
    assert answer.status_code == 400
    assert words in answer.json["error"]["fields"][field]
    assert manager.orders == []


def test_a_group_whose_name_is_too_long_is_refused_with_the_remedy(script: Client) -> None:
    document = {"endpoint": {"mode": "caller", "host": "192.0.2.9", "port": 9000}, "source": {"kind": "bars"}}
    answer = script.post("/api/streams", json={**document, "group": "x" * 41})
    assert answer.json["error"]["fields"] == {"group": "a group's name has at most 40 characters, this one has 41"}
    assert script.post("/api/streams", json={**document, "group": " a"}).status_code == 400
    assert script.post("/api/streams", json={**document, "group": "x" * 40}).json["spec"]["group"] == "x" * 40
