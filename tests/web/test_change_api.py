"""Changing a stream by the API: the same key, and the passphrase kept unless another is named."""

from __future__ import annotations

from tests.web.client import Client
from tests.web.fake_manager import FakeManager


def test_a_stream_is_changed_under_its_key_and_keeps_its_passphrase(script: Client, manager: FakeManager) -> None:
    before = manager.get("parlmt").spec
    document = script.get("/api/streams/parlmt").json["spec"] | {"latency_ms": 250, "overhead_percent": 17}

    answer = script.put("/api/streams/parlmt", json=document)

    assert answer.status_code == 200
    assert (answer.json["key"], answer.json["spec"]["latency_ms"]) == ("parlmt", 250)
    ((_, spec),) = manager.changed
    assert spec.encryption == before.encryption
    assert (spec.endpoint, spec.source, spec.name) == (before.endpoint, before.source, before.name)


def test_a_change_that_is_refused_changes_nothing(script: Client, manager: FakeManager) -> None:
    document = script.get("/api/streams/parlmt").json["spec"]

    assert script.put("/api/streams/parlmt", json=document | {"latency_ms": 5}).status_code == 400
    assert script.put("/api/streams/unknown", json=document).status_code == 404
    assert manager.changed == []
