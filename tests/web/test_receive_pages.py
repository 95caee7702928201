"""The form of receive streams, their picture and the line under their name."""

from __future__ import annotations

from app.domain.figures.watching import DecoderProblem, DecoderReport, LoudnessReport, PictureReport, SpellReport
from app.domain.secret import Secret
from app.domain.spec import Encryption, Forward, ListenerEndpoint, ReceiveSpec, Record
from app.domain.status import Phase
from app.web.presenters.specs import about_text
from app.web.presenters.watching import present_loudness, present_picture
from tests.web.client import Client
from tests.web.fake_manager import FakeManager
from tests.web.fake_receptions import KEY, make_reception
from tests.web.fake_streams import PASSPHRASE, make_peer, make_snapshot

FIELDS = {"mode": "listener", "listener_port": "10009", "latency_ms": "200", "key_bits": "0"}


def test_the_form_orders_outputs_and_decoders(browser: Client, manager: FakeManager) -> None:
    outputs = {
        "is_recorded": "1",
        "record_name": "line-up",
        "file_minutes": "60",
        "file_megabytes": "",
        "is_forwarded": "1",
        "forward_address": "239.1.1.9",
        "forward_port": "1234",
        "forward_interface": "auto",
        "forward_ttl": "4",
        "forward_protocol": "rtp",
        "picture": "1",
        "loudness": "1",
    }
    assert browser.post("/receive", data={**FIELDS, **outputs}).status_code == 303
    (spec,) = manager.started
    assert spec.record == Record("line-up", file_minutes=60)
    assert spec.forward == Forward("239.1.1.9", 1234, ttl=4, protocol="rtp")
    assert (spec.picture, spec.loudness) == (True, True)


def test_without_its_switch_no_output_is_ordered(browser: Client, manager: FakeManager) -> None:
    browser.post("/receive", data={**FIELDS, "record_name": "x", "forward_address": "y"})
    (spec,) = manager.started
    assert (spec.record, spec.forward, spec.picture, spec.loudness) == (None, None, False, False)


def test_the_form_puts_a_receive_stream_into_a_group(browser: Client, manager: FakeManager) -> None:
    browser.post("/receive", data={**FIELDS, "group": " Oslo "})
    (spec,) = manager.started
    assert spec.group == "Oslo"
    answer = browser.post("/receive", data={**FIELDS, "group": "x" * 200}, headers={"Accept": "application/json"})
    assert set(answer.json["error"]["fields"]) == {"group"}


def test_wrong_outputs_are_named_at_their_fields(browser: Client) -> None:
    wrong = {
        "is_recorded": "1",
        "record_name": "a/b",
        "file_minutes": "0",
        "is_forwarded": "1",
        "forward_address": "no",
    }
    answer = browser.post("/receive", data={**FIELDS, **wrong}, headers={"Accept": "application/json"})
    assert answer.status_code == 400
    fields = answer.json["error"]["fields"]
    assert {"record.name", "record.file_minutes", "forward.address", "forward.port"} <= set(fields)


def test_a_picture_is_served_as_jpeg_that_no_cache_keeps(script: Client, manager: FakeManager) -> None:
    key = next(iter(manager.streams))
    assert script.get(f"/api/streams/{key}/picture").status_code == 404
    manager.pictures = {key: b"\xff\xd8\xff\xd9"}
    answer = script.get(f"/api/streams/{key}/picture")
    assert (answer.mimetype, answer.data) == ("image/jpeg", b"\xff\xd8\xff\xd9")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert script.get("/api/streams/nothere/picture").status_code == 404


def test_a_picture_is_for_those_who_may_see_the_stream(stranger: Client, manager: FakeManager) -> None:
    assert stranger.get(f"/api/streams/{next(iter(manager.streams))}/picture").status_code == 401


def test_the_line_under_the_name_names_the_endpoint_once() -> None:
    spec = ReceiveSpec(ListenerEndpoint(25_702), record=Record("night"), forward=Forward("239.1.1.9", 1234))
    text = about_text(spec)
    assert text == "listener on port 25702 · not encrypted · records as night · forwards to 239.1.1.9 port 1234"


def test_a_decoder_says_in_words_why_it_does_not_run() -> None:
    view = present_picture(PictureReport(DecoderReport(problem=DecoderProblem.ENDED, detail="Broken", restarts=3)))
    assert (view.decoder.state, view.decoder.restarts, view.taken) == ("the decoder ended (Broken)", 3, None)
    heard = present_loudness(LoudnessReport(DecoderReport(is_running=True), silent=SpellReport(since=0.0, spells=1)))
    assert heard.decoder.state == "decoding"
    assert heard.silent.since == "1970-01-01T00:00:00Z"


def test_indicators_have_the_names_of_the_document(script: Client, manager: FakeManager) -> None:
    manager.streams = {KEY: make_reception()}
    indicators = script.get(f"/api/streams/{KEY}").json["reception"]["tr101290"]
    assert [indicators[name]["title"] for name in ("ts_sync_loss", "pat_error_2", "pcr_repetition_error")] == [
        "TS_sync_loss",
        "PAT_error_2",
        "PCR_repetition_error",
    ]
    assert [indicators[name]["title"] for name in ("continuity_count_error", "eit_pf_error", "unreferenced_pid")] == [
        "Continuity_count_error",
        "EIT_PF_error",
        "Unreferenced_PID",
    ]


def _put_on_air(manager: FakeManager) -> None:
    """Put a receive stream with a passphrase and a connected sender on air."""
    spec = ReceiveSpec(
        ListenerEndpoint(10_009), name="OB van 3", latency_ms=200, encryption=Encryption(256, Secret(PASSPHRASE))
    )
    manager.streams[KEY] = make_snapshot(KEY, spec, Phase.DELIVERING, peers=(make_peer(),))


def test_an_edited_receive_stream_keeps_its_key_port_and_passphrase(browser: Client, manager: FakeManager) -> None:
    _put_on_air(manager)
    page = browser.get(f"/stream/{KEY}/edit").get_data(as_text=True)
    assert "Edit OB van 3" in page
    assert "Save and restart" in page
    assert '<option value="10009" selected' in page
    assert "1 sender will be disconnected and has to reconnect: 198.51.100.23" in page
    assert PASSPHRASE not in page

    changed = FIELDS | {"name": "OB van 3", "latency_ms": "350", "key_bits": "256"}
    answer = browser.post(f"/stream/{KEY}/edit", data=changed, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["key"]) == (200, KEY)
    ((key, spec),) = manager.changed
    assert (key, spec.latency_ms, spec.local_port()) == (KEY, 350, 10_009)
    assert spec.encryption == Encryption(256, Secret(PASSPHRASE))


def test_a_refused_edit_of_a_receive_stream_names_the_field_and_changes_nothing(
    browser: Client, script: Client, manager: FakeManager
) -> None:
    _put_on_air(manager)
    answer = browser.post(f"/stream/{KEY}/edit", data=FIELDS | {"latency_ms": "9"})
    assert answer.status_code == 400
    assert "Edit OB van 3" in answer.get_data(as_text=True)
    document = {"direction": "receive", "endpoint": {"mode": "listener", "port": 10_009}, "latency_ms": 9}
    refused = script.put(f"/api/streams/{KEY}", json=document)
    assert (refused.status_code, [*refused.json["error"]["fields"]]) == (400, ["latency_ms"])
    assert (manager.changed, manager.orders) == ([], [])
    assert manager.streams[KEY].status.phase is Phase.DELIVERING


def test_the_api_changes_a_receive_stream_and_keeps_its_passphrase(script: Client, manager: FakeManager) -> None:
    _put_on_air(manager)
    document = {"direction": "receive", "endpoint": {"mode": "listener", "port": 10_009}, "latency_ms": 350}
    answer = script.put(f"/api/streams/{KEY}", json=document | {"encryption": {"key_bits": 256}})
    assert answer.status_code == 200, answer.json
    ((_, spec),) = manager.changed
    assert spec.encryption == Encryption(256, Secret(PASSPHRASE))


def test_a_duplicate_of_a_receive_stream_has_a_free_port_and_no_passphrase(
    browser: Client, manager: FakeManager
) -> None:
    _put_on_air(manager)
    page = browser.get(f"/stream/{KEY}/duplicate").get_data(as_text=True)
    assert 'value="OB van 3 copy"' in page
    assert 'action="/receive"' in page
    assert '<option value="10009" selected' not in page
    assert PASSPHRASE not in page


def test_the_page_of_a_receive_stream_leads_to_edit_and_duplicate(browser: Client, manager: FakeManager) -> None:
    _put_on_air(manager)
    page = browser.get(f"/stream/{KEY}").get_data(as_text=True)
    assert f"/stream/{KEY}/edit" in page
    assert f"/stream/{KEY}/duplicate" in page
