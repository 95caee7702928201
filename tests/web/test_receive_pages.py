"""The form of receive streams, their picture and the line under their name."""

from __future__ import annotations

from app.domain.figures.watching import DecoderProblem, DecoderReport, LoudnessReport, PictureReport, SpellReport
from app.domain.spec import Forward, ListenerEndpoint, ReceiveSpec, Record
from app.web.presenters.specs import about_text
from app.web.presenters.watching import present_loudness, present_picture
from tests.web.client import Client
from tests.web.fake_manager import FakeManager
from tests.web.fake_receptions import KEY, make_reception

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
