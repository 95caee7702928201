"""Presets and the address book over the API and in the form: saved, loaded, replaced, exported, imported."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.web.client import Answer, Client
from tests.web.fake_manager import PORTS, FakeManager

SPEC = {"endpoint": {"mode": "caller", "host": "192.0.2.10", "port": 9000}, "source": {"kind": "bars"}}
FAR_END = {"name": "Umeå", "host": "umea.example.net", "port": 9000, "stream_id": None, "notes": "call first"}
FORM = {"mode": "caller", "host": "192.0.2.10", "port": "9000", "source_kind": "bars", "latency_ms": "350"}
FORM |= {"overhead_percent": "25", "smoothing_latency_ms": "30", "qos": "1", "engine": "auto", "bars_format": "720p50"}


def save(script: Client, name: str = "Saturday", **changes: object) -> Any:
    answer = script.post("/api/presets", json={"name": name, "spec": {**SPEC, **changes}})
    assert answer.status_code == 201, answer.json
    return answer.json


def save_form(browser: Client, typed: Mapping[str, str]) -> Answer:
    return browser.post("/presets", data=typed, headers={"Accept": "application/json"})


def test_a_preset_is_listed_shown_replaced_and_deleted(script: Client) -> None:
    saved = save(script, latency_ms=350, group="Match")
    assert (saved["name"], saved["spec"]["latency_ms"], saved["spec"]["group"]) == ("Saturday", 350, "Match")
    assert saved["text"] == "bars 720p50 → caller to 192.0.2.10 port 9000 · not encrypted · 350 ms"
    path = f"/api/presets/{saved['key']}"
    assert script.get("/api/presets").json == {"presets": [saved], "problems": []}
    renamed = script.put(path, json={"name": "Sunday", "spec": saved["spec"]}).json
    assert renamed == {**saved, "name": "Sunday"}
    assert script.get(path).json == renamed
    assert script.delete(path).status_code == 204
    for answer in (script.get(path), script.delete(path), script.put(path, json={"name": "a", "spec": SPEC})):
        assert answer.status_code == 404


def test_a_preset_says_how_long_its_key_is_and_takes_no_passphrase(script: Client, manager: FakeManager) -> None:
    saved = save(script, encryption={"key_bits": 256})
    assert saved["spec"]["encryption"] == {"key_bits": 256}
    secret = {"key_bits": 256, "passphrase": "a secret of this test"}
    answer = script.post("/api/presets", json={"name": "b", "spec": {**SPEC, "encryption": secret}})
    assert answer.status_code == 400
    assert answer.json["error"]["fields"] == {"spec.encryption.passphrase": "a preset has no passphrase; leave it out"}
    assert "a secret of this test" not in answer.text + str(manager.documents.tables)


def test_the_address_book_is_listed_replaced_and_deleted(script: Client) -> None:
    saved = script.post("/api/far-ends", json=FAR_END).json
    assert saved == {"key": saved["key"], **FAR_END}
    path = f"/api/far-ends/{saved['key']}"
    changed = {**FAR_END, "port": 9001, "stream_id": "umea/main"}
    assert script.put(path, json=changed).json == {"key": saved["key"], **changed}
    assert script.get("/api/far-ends").json == {"far_ends": [script.get(path).json]}
    assert script.delete(path).status_code == 204
    assert script.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/api/presets", "/api/far-ends", "/api/presets/import"])
@pytest.mark.parametrize("body", [b"", b"{", b"7", b"null", b'"x"', b"[]", b"{}", b'{"name":"\xff"}', b"[" * 9000])
def test_bad_bodies_are_named_and_change_nothing(script: Client, manager: FakeManager, path: str, body: bytes) -> None:
    answer = script.post(path, data=body)
    assert answer.status_code == 400
    assert answer.json["error"]["fields"]
    assert manager.documents.tables == {}


def test_every_wrong_field_of_a_far_end_is_named(script: Client) -> None:
    wrong = {"name": "", "host": "two words", "port": 70000, "stream_id": "x" * 513, "notes": "n" * 301, "city": "Umeå"}
    assert set(script.post("/api/far-ends", json=wrong).json["error"]["fields"]) == set(wrong)


def test_a_name_that_is_taken_is_a_conflict(script: Client) -> None:
    save(script)
    answer = script.post("/api/presets", json={"name": "saturday", "spec": SPEC})
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "name_taken")
    assert "choose another name" in answer.json["error"]["fields"]["name"]


def test_an_export_is_one_document_that_can_be_imported(script: Client) -> None:
    save(script, encryption={"key_bits": 128})
    script.post("/api/far-ends", json=FAR_END)
    answer = script.get("/api/presets/export")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="mcr-presets.json"'
    assert [preset["name"] for preset in answer.json["presets"]] == ["Saturday"]
    assert answer.json["far_ends"] == [FAR_END]
    taken = script.post("/api/presets/import", json=answer.json)
    assert taken.json == {"presets": 1, "far_ends": 1, "replaced": 2, "refused": []}


def test_an_import_may_be_larger_than_other_requests_and_has_a_limit(script: Client) -> None:
    far_ends = [{**FAR_END, "name": str(number), "notes": "n" * 300} for number in range(200)]
    document = {"format": "mcr-presets", "version": 1, "far_ends": far_ends}
    assert len(json.dumps(document)) > 64 * 1024
    assert script.post("/api/presets/import", json=document).json["far_ends"] == 200
    answer = script.post("/api/presets/import", data=b" " * (1024 * 1024 + 1))
    assert answer.status_code == 413
    assert "at most 1024 KiB" in answer.json["error"]["message"]
    assert "at most 64 KiB" in script.post("/api/presets", data=b" " * (64 * 1024 + 1)).json["error"]["message"]


def test_a_form_is_saved_without_its_passphrase_and_fills_the_next_form(browser: Client, manager: FakeManager) -> None:
    typed = {**FORM, "group": "Match", "key_bits": "256", "passphrase": "a secret of this test"}
    answer = save_form(browser, {**typed, "preset_name": "Saturday"})
    assert answer.status_code == 201
    assert "a secret of this test" not in answer.text + str(manager.documents.tables)
    page = browser.get(f"/caller?preset={answer.json['key']}").text
    assert 'value="350"' in page
    assert 'value="192.0.2.10"' in page
    assert 'value="Match"' in page
    assert re.search(r'<option value="256" selected>', page)
    assert "Loaded from the preset “Saturday”. Enter the passphrase" in page
    assert browser.get("/?preset=unknown").status_code == 404


def test_a_form_with_faults_is_not_saved_and_its_fields_are_named(browser: Client, manager: FakeManager) -> None:
    answer = save_form(browser, {**FORM, "latency_ms": "x", "host": "", "preset_name": "a"})
    assert set(answer.json["error"]["fields"]) == {"latency_ms", "endpoint.host"}
    answer = save_form(browser, {**FORM, "preset_name": "  "})
    assert answer.json["error"]["fields"] == {"preset_name": "enter a name"}
    assert manager.documents.tables == {}


def test_a_saved_form_replaces_another_only_when_that_is_asked(browser: Client) -> None:
    first = save_form(browser, {**FORM, "preset_name": "Saturday"}).json
    again = {**FORM, "latency_ms": "500", "preset_name": "Saturday"}
    refused = save_form(browser, again)
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "name_taken")
    assert set(refused.json["error"]["fields"]) == {"preset_name"}
    replaced = save_form(browser, {**again, "replace": "1"})
    assert (replaced.status_code, replaced.json["key"]) == (200, first["key"])
    assert replaced.json["spec"]["latency_ms"] == 500


def test_a_preset_of_a_port_that_is_taken_chooses_a_free_one_and_says_so(
    script: Client, browser: Client, manager: FakeManager
) -> None:
    taken = next(port for port in PORTS if port not in manager.free_ports())
    key = save(script, endpoint={"mode": "listener", "port": taken})["key"]
    page = " ".join(browser.get(f"/?preset={key}").text.split())
    free = manager.free_ports()[0]
    assert f"Port {taken} is taken or not a listener port here; port {free} is chosen." in page
    assert f'<option value="{free}" selected>' in page


def test_the_page_of_presets_and_the_form_need_no_script_to_be_read(browser: Client, script: Client) -> None:
    script.post("/api/far-ends", json={**FAR_END, "name": "<b>bold</b>"})
    assert "&lt;b&gt;bold" in browser.get("/caller").text
    assert browser.get("/presets").status_code == 200


RECEIVE: dict[str, Any] = {
    "direction": "receive",
    "name": "OB van",
    "group": "Match",
    "endpoint": {"mode": "caller", "host": "192.0.2.10", "port": 9000},
    "latency_ms": 350,
    "stream_id": "obvan",
    "record": {"name": "match", "file_minutes": 60, "file_megabytes": None},
    "forward": {"address": "239.1.1.9", "port": 1234, "interface": "eno9", "ttl": 4, "protocol": "rtp"},
    "picture": True,
}
RECEIVE_FORM = {
    "direction": "receive",
    "mode": "caller",
    "host": "192.0.2.10",
    "port": "9000",
    "latency_ms": "350",
    "is_recorded": "1",
    "record_name": "match",
    "file_minutes": "60",
    "picture": "1",
}


def test_a_receive_stream_is_a_preset_that_is_exported_and_imported(script: Client) -> None:
    saved = script.post("/api/presets", json={"name": "Van", "spec": RECEIVE}).json
    assert saved["text"].startswith("receive: caller to 192.0.2.10 port 9000 · not encrypted · records as match")
    exported = script.get("/api/presets/export").json
    assert exported["presets"][0]["spec"]["direction"] == "receive"
    script.delete(f"/api/presets/{saved['key']}")
    assert script.post("/api/presets/import", json=exported).json["presets"] == 1
    (kept,) = script.get("/api/presets").json["presets"]
    assert kept["spec"] == saved["spec"]
    assert saved["spec"]["forward"] == RECEIVE["forward"]


def test_a_relay_is_no_preset(script: Client) -> None:
    relay = {"direction": "relay", "listen_port": 10009, "target": {"host": "127.0.0.1", "port": 1}}
    answer = script.post("/api/presets", json={"name": "a", "spec": relay})
    assert answer.status_code == 400
    assert "impairment profile" in answer.json["error"]["fields"]["spec.direction"]


def test_a_receive_form_is_saved_without_its_passphrase_and_fills_the_next_one(
    browser: Client, manager: FakeManager
) -> None:
    secret = {"key_bits": "128", "passphrase": "a secret of this test"}
    answer = save_form(browser, {**RECEIVE_FORM, **secret, "preset_name": "Van"})
    assert (answer.status_code, answer.json["spec"]["encryption"]) == (201, {"key_bits": 128})
    assert "a secret of this test" not in answer.text + str(manager.documents.tables)
    key = answer.json["key"]
    page = " ".join(browser.get(f"/receive?preset={key}").text.split())
    for value in ("192.0.2.10", "9000", "350", "match", "60"):
        assert f'value="{value}"' in page
    assert re.search(r'id="is_recorded"[^>]* checked', page)
    assert re.search(r'id="picture"[^>]* checked', page)
    assert not re.search(r'id="is_forwarded"[^>]* checked', page)
    assert '<option value="128" selected>' in page
    assert "Loaded from the preset “Van”. Enter the passphrase" in page
    assert browser.get("/receive?preset=unknown").status_code == 404


def test_wrong_fields_of_a_receive_form_are_named_and_nothing_is_saved(browser: Client, manager: FakeManager) -> None:
    wrong = {**RECEIVE_FORM, "host": "", "latency_ms": "x", "record_name": "a/b", "preset_name": "Van"}
    answer = save_form(browser, wrong)
    assert set(answer.json["error"]["fields"]) == {"endpoint.host", "latency_ms", "record.name"}
    assert manager.documents.tables == {}


def test_each_form_offers_its_own_presets_and_passes_the_others_on(script: Client, browser: Client) -> None:
    sent = save(script, "Sent")["key"]
    received = script.post("/api/presets", json={"name": "Received", "spec": RECEIVE}).json["key"]
    option = '<option value="{}">'
    dashboard, form = browser.get("/").text, browser.get("/receive").text
    assert [option.format(key) in dashboard for key in (sent, received)] == [True, False]
    assert [option.format(key) in form for key in (sent, received)] == [False, True]
    assert browser.get(f"/?preset={received}").headers["Location"] == f"/receive?preset={received}"
    assert browser.get(f"/receive?preset={sent}").headers["Location"] == f"/caller?preset={sent}"


def test_a_receive_preset_of_a_port_that_is_taken_and_of_an_interface_elsewhere_says_so(
    script: Client, browser: Client, manager: FakeManager
) -> None:
    taken = next(port for port in PORTS if port not in manager.free_ports())
    spec = {**RECEIVE, "endpoint": {"mode": "listener", "port": taken}, "stream_id": None}
    key = script.post("/api/presets", json={"name": "Van", "spec": spec}).json["key"]
    page = " ".join(browser.get(f"/receive?preset={key}").text.split())
    assert f"Port {taken} is taken or not a listener port here; port {manager.free_ports()[0]} is chosen." in page
    assert '<option value="eno9" selected>' in page, "an interface of another host is not changed without a word"
