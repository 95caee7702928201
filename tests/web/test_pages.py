"""The pages: the form that starts a stream, what is shown of it again, and pages that are not there."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from tests.web.client import Client
from tests.web.fake_manager import FakeManager
from tests.web.fake_streams import LONG_NAME, SCRIPT_NAME

FORM = {
    "source_kind": "file",
    "path": "bars.ts",
    "loop": "1",
    "port": "10009",
    "latency_ms": "250",
    "overhead_percent": "30",
    "smoothing_latency_ms": "20",
    "key_bits": "0",
    "qos": "1",
    "name": "From the form",
}
JSON = {"Accept": "application/json"}
NUMBERS = {"smoothing_latency_ms": "30", "qos": "1"}


def test_the_form_starts_what_it_says(browser: Client, manager: FakeManager) -> None:
    answer = browser.post("/", data=FORM)

    assert answer.status_code == 303
    assert answer.headers["Location"] == "/stream/new010"
    spec = manager.started[0]
    assert (spec.name, spec.endpoint.port, spec.source.path, spec.source.loop) == (
        "From the form",
        10009,
        "bars.ts",
        True,
    )
    assert (spec.latency_ms, spec.overhead_percent, spec.smoothing_latency_ms) == (250, 30, 20)
    assert (spec.encryption, spec.qos) == (None, True)


def test_without_javascript_the_dashboard_says_what_to_do_and_loads_nothing(browser: Client) -> None:
    page = browser.get("/").text
    assert "<noscript>" in page
    assert "Loading streams" not in page


def test_the_pages_script_gets_the_view(browser: Client) -> None:
    answer = browser.post("/", data=FORM, headers=JSON)

    assert answer.status_code == 201
    assert answer.json["label"] == "From the form"


def test_a_caller_is_started_with_its_multicast_source_and_passphrase(browser: Client, manager: FakeManager) -> None:
    fields = {
        "source_kind": "multicast",
        "address": "239.1.1.1",
        "group_port": "1234",
        "interface": "auto",
        "protocol": "rtp",
        "source_ip": "",
        "host": "192.0.2.10",
        "port": "9000",
        "latency_ms": "120",
        "overhead_percent": "25",
        "smoothing_latency_ms": "30",
        "key_bits": "256",
        "passphrase": "p&?#\"'å long",
    }

    assert browser.post("/caller", data=fields).status_code == 303
    spec = manager.started[0]
    assert (spec.endpoint.host, spec.endpoint.port) == ("192.0.2.10", 9000)
    assert (spec.source.address, spec.source.protocol, spec.source.source_ip) == ("239.1.1.1", "rtp", None)
    assert spec.encryption.passphrase.reveal() == "p&?#\"'å long"
    assert (spec.encryption.key_bits, spec.qos) == (256, False)


def test_every_wrong_field_is_named_at_once_in_the_form_that_asked(browser: Client, manager: FakeManager) -> None:
    answer = browser.post(
        "/", data={**FORM, "latency_ms": "soon", "overhead_percent": "100", "path": "../x.ts"}, headers=JSON
    )

    assert answer.status_code == 400
    assert set(answer.json["error"]["fields"]) == {"latency_ms", "overhead_percent", "source.path"}
    assert manager.started == []


def test_a_taken_port_is_reported_in_the_form_that_asked(browser: Client) -> None:
    page = browser.post("/", data={**FORM, "port": "10001"})

    assert page.status_code == 409
    assert re.search(r'data-fault-of="endpoint.port">10001 is taken', page.get_data(as_text=True))


def test_nothing_typed_is_lost_but_the_passphrase_does_not_come_back(browser: Client) -> None:
    fields = {**FORM, "port": "10001", "name": "Kept as typed", "key_bits": "128", "passphrase": "never in a page"}
    page = browser.post("/", data=fields).get_data(as_text=True)

    assert 'value="Kept as typed"' in page
    assert 'value="250"' in page
    assert '<option value="128" selected>' in page
    assert "never in a page" not in page


def test_a_link_fills_the_form_in(browser: Client) -> None:
    page = browser.get(
        "/?latency_ms=340&overhead_percent=26&path=a/b.ts&qos=0&key_bits=256&passphrase=secret-in-link"
    ).get_data(as_text=True)

    page = " ".join(page.split())
    assert 'name="latency_ms" value="340"' in page
    assert 'name="overhead_percent" value="26"' in page
    assert 'value="a/b.ts"' in page
    assert not re.search(r'name="qos" value="1" checked', page)
    assert "secret-in-link" not in page


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?view=wall",
        "/about",
        "/caller",
        "/docs",
        "/docs/api",
        "/events",
        "/hosts",
        "/impairment",
        "/line-up",
        "/stream/lineup",
        "/network_test",
    ],
)
def test_no_page_has_inline_scripts_styles_or_handlers(browser: Client, path: str) -> None:
    page = browser.get(path).get_data(as_text=True)

    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert "<style" not in page
    assert not re.search(r'<[^>]+\sstyle="', page)
    assert not re.search(r"<[^>]+\son[a-z]+=", page)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?view=wall",
        "/caller",
        "/events",
        "/impairment",
        "/line-up",
        "/stream/lineup",
        "/network_test",
        "/about",
        "/docs",
        "/docs/api",
        "/nowhere",
    ],
)
def test_pages_load_from_this_host_alone(browser: Client, path: str) -> None:
    page = browser.get(path).get_data(as_text=True)

    assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []


def test_static_files_may_be_kept_because_their_address_changes_with_them(browser: Client) -> None:
    page = browser.get("/").get_data(as_text=True)
    found = re.search(r'href="(/static/css/style\.css\?v=[0-9a-f]+)"', page)
    assert found is not None
    address = found[1]

    assert "immutable" in browser.get(address).headers["Cache-Control"]
    assert browser.get("/static/js/app.js").headers["Cache-Control"] == "no-cache"


def test_hostile_and_endless_names_are_text(browser: Client) -> None:
    page = browser.get("/stream/evilxx").get_data(as_text=True)

    assert SCRIPT_NAME not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert LONG_NAME.strip() in browser.get("/stream/longxx").get_data(as_text=True)


@pytest.mark.parametrize(
    "path", ["/nowhere", "/stream/unknown", "/media_info/nothing.ts", "/media_info/../../etc/passwd"]
)
def test_what_is_not_there_is_a_page_for_people(browser: Client, path: str) -> None:
    answer = browser.get(path)

    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert "Back to dashboard" in answer.get_data(as_text=True)


def test_an_error_of_our_own_tells_nothing_of_itself(
    app: Flask,
    browser: Client,
    manager: FakeManager,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def fail() -> None:
        raise RuntimeError("the inner words")

    monkeypatch.setattr(manager, "list", fail)
    answer = browser.get("/api/streams")

    assert answer.status_code == 500
    assert answer.json["error"]["code"] == "internal_error"
    assert "inner words" not in answer.get_data(as_text=True)
    assert "request failed" in caplog.text


def test_the_form_of_a_new_stream_needs_no_input_for_its_source(browser: Client, manager: FakeManager) -> None:
    answer = browser.post("/", data={"port": "10009", "latency_ms": "200", "overhead_percent": "25"} | NUMBERS)

    assert answer.status_code == 303
    assert manager.started[0].source.format == "720p50"


def test_the_first_field_is_the_name_and_seldom_settings_are_folded_away(browser: Client) -> None:
    page = browser.get("/").get_data(as_text=True)

    assert page.index('id="name"') < page.index('id="port"') < page.index('id="latency_ms"')
    folded = page[page.index("<details") : page.index("</details>")]
    assert {"smoothing_latency_ms", "qos", "engine"} <= set(re.findall(r'name="(\w+)"', folded))
    assert "20 to 8000 ms" in page


def test_an_edited_stream_keeps_its_key_and_its_passphrase(browser: Client, manager: FakeManager) -> None:
    page = browser.get("/stream/parlmt/edit").get_data(as_text=True)
    before = manager.get("parlmt").spec
    assert f'value="{before.latency_ms}"' in page

    answer = browser.post("/stream/parlmt/edit", data=FORM | {"key_bits": "256", "port": "10002"})

    assert answer.headers["Location"] == "/stream/parlmt"
    ((key, spec),) = manager.changed
    assert (key, spec.latency_ms, spec.endpoint.port) == ("parlmt", 250, 10002)
    assert spec.encryption.passphrase == before.encryption.passphrase


def test_an_edit_says_whom_it_interrupts(browser: Client) -> None:
    page = browser.get("/stream/parlmt/edit").get_data(as_text=True)

    assert "have to reconnect" in page or "has to reconnect" in page


def test_a_duplicate_has_a_free_port_and_no_passphrase(browser: Client) -> None:
    page = browser.get("/stream/parlmt/duplicate").get_data(as_text=True)

    assert 'action="/"' in page
    assert " copy" in page
    assert not re.search(r'<option value="10002" selected', page)
    assert re.search(r'id="passphrase"[^>]*>', page)
    assert "correct horse" not in page
