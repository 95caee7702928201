"""Results of probes that other hosts post: kept, bounded, listed, shown as text, and checked as hostile input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.domain.errors import InvalidInput
from app.domain.probe_report import SECONDS_MAX, parse_probe_report
from app.lineup.probe_end import ProbeEnd
from app.lineup.probe_reports import KEPT_MAX, ProbeReports
from tests.web.client import Client

ENDED_AT = 1_800_000_900.0
REPORT: dict[str, object] = {
    "host": "ob-van-3",
    "target": "192.0.2.10:9000",
    "started_at": 1_800_000_000.0,
    "ended_at": ENDED_AT,
    "severity": "attention",
    "text": "picture froze for 0.6 s at 14:02:11",
    "packets_unique": 681_000,
    "error_seconds": {"frozen": 1},
}


def test_a_posted_report_is_listed_and_shown_as_text(script: Client, browser: Client) -> None:
    answer = script.post("/api/probe_reports", json={**REPORT, "host": "<b>van</b>"})
    assert answer.status_code == 201
    assert script.get(answer.headers["Location"]).json["report"]["packets_unique"] == 681_000
    (listed,) = script.get("/api/probe_reports").json["reports"]
    assert listed["id"] == answer.json["id"]
    assert listed["started_at"] == "2027-01-15T08:00:00Z"
    page = browser.get("/receive").get_data(as_text=True)
    assert "&lt;b&gt;van&lt;/b&gt;" in page
    assert "picture froze for 0.6 s" in page
    assert script.delete(f"/api/probe_reports/{listed['id']}").status_code == 204
    assert script.get(f"/api/probe_reports/{listed['id']}").status_code == 404
    assert "probe-reports" not in browser.get("/receive").get_data(as_text=True)


def test_a_stranger_may_neither_post_nor_read(stranger: Client) -> None:
    assert stranger.post("/api/probe_reports", json=REPORT).status_code == 401
    assert stranger.get("/api/probe_reports").status_code == 401


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", ""),
        ("host", "h" * 254),
        ("host", "a\nb"),
        ("text", "x" * 501),
        ("findings", ["x"] * 31),
        ("findings", ["\x1b[31m"]),
        ("severity", "splendid"),
        ("packets_unique", -1),
        ("packets_unique", 1 << 60),
        ("packets_unique", "many"),
        ("ended_at", 1.0),
        ("started_at", 1e300),
        ("longest_gap_ms", -0.5),
        ("delivered_mbps", "1"),
        ("error_seconds", {"<script>": 1}),
        ("error_seconds", {f"kind_{chr(97 + i)}": 1 for i in range(21)}),
        ("unknown", 1),
        ("history", [[1.0, -1]]),
        ("history", [[1.0, 1 << 60]]),
        ("history", [[1e300]]),
        ("history", [[2.0], [1.0]]),
        ("history", [[float(at)] for at in range(SECONDS_MAX + 1)]),
        ("indicators", {"pat_error_2": {"priority": 4, "error_seconds": 0}}),
    ],
)
def test_a_wrong_field_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_probe_report({**REPORT, field: value})
    named = "".join(refused.value.fields) + str(refused.value)
    assert field in named


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"[" * 10_000, b'{"host": NaN}', b"\xff\xfe", b'"' + b"x" * 999])
def test_what_is_no_report_is_an_error_of_the_usual_shape(body: Any, script: Client) -> None:
    answer = script.post("/api/probe_reports", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json["error"]["code"] == "invalid_input"


def test_the_newest_are_kept_over_a_restart_and_the_oldest_give_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(1_800_000_000, 1_800_001_000))
    monkeypatch.setattr("app.lineup.probe_reports.unix_now", lambda: float(next(clock)))
    reports = ProbeReports(tmp_path)
    first = reports.keep(parse_probe_report(REPORT), actor="van")
    for _ in range(KEPT_MAX):
        last = reports.keep(parse_probe_report(REPORT), actor="van")
    (tmp_path / "probe_report-20270115-080000-00000000.json").write_text("{")
    again = ProbeReports(tmp_path)
    assert [kept.id for kept in again.reports()] == [kept.id for kept in reports.reports()]
    assert again.reports()[0] == last
    assert first.id not in {kept.id for kept in again.reports()}


def test_a_full_disk_keeps_the_report_until_the_restart(tmp_path: Path) -> None:
    reports = ProbeReports(tmp_path / "missing")
    kept = reports.keep(parse_probe_report(REPORT), actor="van")
    assert reports.get(kept.id).report == msgspec.convert(REPORT, type(kept.report))


def test_the_seconds_of_a_probe_are_those_of_a_receiver_and_stay_on_disk(script: Client, tmp_path: Path) -> None:
    history = [[1_800_000_000.0 + at, 760] for at in range(SECONDS_MAX)]
    answer = script.post("/api/probe_reports", json={**REPORT, "history": history})
    assert answer.status_code == 201
    assert answer.json["history_seconds"] == SECONDS_MAX
    assert answer.json["report"]["history"] == []
    reports = ProbeReports(tmp_path / "data")
    assert len(reports.history(answer.json["id"])) == SECONDS_MAX


def test_the_times_of_a_probe_whose_clock_is_wrong_are_shifted_and_the_difference_is_a_remark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.lineup.probe_reports.unix_now", lambda: ENDED_AT + 3600.0)
    reports = ProbeReports(tmp_path)
    kept = reports.keep(parse_probe_report({**REPORT, "history": [[ENDED_AT, 760]]}), actor="van")
    end = ProbeEnd(reports, kept.id)
    assert [second.at for second in end.read(10)] == [ENDED_AT + 3600.0]
    clock = end.checks()[0]
    assert (clock.verdict, clock.got) == ("remark", "3600.00 s behind this host, ± 1.00 s; its times are corrected")


@pytest.mark.parametrize(
    ("changes", "words"), [({"severity": "none"}, "measured nothing"), ({}, "this report has no seconds")]
)
def test_a_report_without_seconds_is_no_receiving_end(script: Client, changes: dict[str, str], words: str) -> None:
    report = script.post("/api/probe_reports", json=REPORT | changes).json["id"]
    answer = script.post("/api/line-ups", json={"receiver": {"kind": "probe", "report": report}})
    assert answer.status_code == 400
    assert words in answer.json["error"]["fields"]["receiver.report"]
