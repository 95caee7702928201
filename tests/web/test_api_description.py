"""The API's description (OpenAPI) agrees with its answers."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
from flask import Flask

from app.settings import Settings
from tests.instruments.ts_maker import Recipe, make_ts
from tests.web.client import Answer, Client

PATHS = [
    "/api/streams",
    "/api/streams/parlmt",
    "/api/streams/failed",
    "/api/streams/longxx",
    "/api/streams/parlmt/live",
    "/api/streams/stoppd/live",
    "/api/streams/parlmt/history?seconds=5",
    "/api/streams/parlmt/debug",
    "/api/overview",
    "/api/dashboard?spark=1",
    "/api/events",
    "/api/media",
    "/api/media/check?path=bars.ts",
    "/api/media/info?path=bars.ts",
    "/api/link-budget?latency_ms=200&overhead_percent=25&bitrate_bps=8000000&rtt_ms=40",
    "/api/channels",
    "/api/presets",
    "/api/far-ends",
    "/api/presets/export",
    "/api/interfaces",
    "/api/system",
]


@pytest.fixture
def description(script: Client) -> Any:
    return script.get("/api/openapi.json").json


def operation_of(description: dict[str, Any], method: str, path: str) -> Any:
    bare = path.partition("?")[0]
    for template, operations in description["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), bare):
            return operations[method]
    raise AssertionError(f"{path} is not described")


def check(description: dict[str, Any], method: str, path: str, answer: Answer) -> None:
    responses = operation_of(description, method, path)["responses"]
    schema = responses[str(answer.status_code)]["content"]["application/json"]["schema"]
    jsonschema.validate(
        answer.json, {**schema, "components": description["components"]}, cls=jsonschema.Draft202012Validator
    )


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_the_shape_that_is_described(
    script: Client, settings: Settings, description: dict[str, Any], path: str
) -> None:
    (settings.media_folder / "bars.ts").write_bytes(make_ts(Recipe(seconds=0.5)))
    answer = script.get(path)

    assert answer.status_code == 200
    check(description, "get", path, answer)


def test_a_started_stream_and_a_refused_one_have_the_shapes_that_are_described(
    script: Client, description: dict[str, Any]
) -> None:
    good = {"endpoint": {"mode": "listener", "port": 10009}, "source": {"kind": "bars"}}
    taken = {"endpoint": {"mode": "listener", "port": 10001}, "source": {"kind": "bars"}}
    absent = {"endpoint": {"mode": "caller", "host": "no-such-host.invalid", "port": 1}, "source": {"kind": "bars"}}

    for document, status in ((good, 201), (taken, 409), ({}, 400), (absent, 422)):
        answer = script.post("/api/streams", json=document)
        assert answer.status_code == status
        check(description, "post", "/api/streams", answer)


def test_every_address_of_the_api_is_described_and_nothing_else(app: Flask, description: dict[str, Any]) -> None:
    real = {
        (re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/") and rule.rule != "/api/openapi.json"
    }
    described = {
        (path, method)
        for path, operations in description["paths"].items()
        for method in operations
        if method != "parameters"
    }

    assert described == real


def test_the_description_points_at_nothing_that_is_missing(description: dict[str, Any]) -> None:
    text = str(description)
    for name in set(re.findall(r"#/components/schemas/([A-Za-z]+)", text)):
        assert name in description["components"]["schemas"]


def test_the_passphrase_is_described_as_write_only(description: dict[str, Any]) -> None:
    encryption = description["components"]["schemas"]["Encryption"]

    assert encryption["properties"]["passphrase"]["writeOnly"] is True
