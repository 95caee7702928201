"""Limits that are saved under names: over the API, in plans, after a restart, and as hostile input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.lineup.saved_limits import LimitsBook
from tests.web.client import Client

STRICT = {"name": "Åre contribution", "limits": {"output_gap_max_ms": 20, "latency_rtt_ratio_min": 4}}


def save(script: Client, *entries: dict[str, Any]) -> Any:
    return script.post("/api/line-up-limits", json={"limits": list(entries)})


def test_saved_limits_are_listed_offered_used_and_removed(script: Client, browser: Client, tmp_path: Path) -> None:
    assert save(script, STRICT).status_code == 201
    (listed,) = script.get("/api/line-up-limits").json["limits"]
    assert (listed["limits"]["output_gap_max_ms"], listed["limits"]["rtt_spread_max_ms"]) == (20, 30)
    assert "<option>Åre contribution</option>" in browser.get("/line-up").get_data(as_text=True)
    plan = {"stream": "lineup", "limits_name": "Åre contribution"}
    as_saved = script.post("/api/line-ups", json=plan).json
    assert as_saved["plan"]["limits"]["output_gap_max_ms"] == 20
    assert as_saved["plan"]["limits_name"] == "Åre contribution"
    script.post(f"/api/line-ups/{as_saved['id']}/cancel")
    assert [each.name for each in LimitsBook(tmp_path / "data" / "line_up_limits.json").all()] == ["Åre contribution"]
    assert script.delete("/api/line-up-limits/Åre contribution").status_code == 204
    refused = script.post("/api/line-ups", json=plan)
    assert (refused.status_code, list(refused.json["error"]["fields"])) == (400, ["limits_name"])


def test_a_plan_may_change_single_limits_of_a_saved_set_and_says_so(script: Client) -> None:
    save(script, STRICT)
    plan = {"stream": "lineup", "limits_name": "Åre contribution", "limits": {"output_gap_max_ms": 60}}
    run = script.post("/api/line-ups", json=plan).json
    assert (run["plan"]["limits"]["output_gap_max_ms"], run["plan"]["limits"]["latency_rtt_ratio_min"]) == (60, 4)
    assert run["plan"]["limits_name"] == "Åre contribution, changed"


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([], "limits"),
        ({"limits": []}, "limits"),
        ({"limits": [{"name": ""}]}, "limits[0].name"),
        ({"limits": [{"name": "a/b"}]}, "limits[0].name"),
        ({"limits": [{"name": "x" * 41}]}, "limits[0].name"),
        (
            {"limits": [STRICT, {"name": "b", "limits": {"output_gap_max_ms": -1}}]},
            "limits[1].limits.output_gap_max_ms",
        ),
        ({"limits": [{"name": "b", "limits": {"colour": 1}}]}, "limits[0].limits.colour"),
    ],
)
def test_wrong_limits_are_refused_by_field_and_none_is_kept(script: Client, document: Any, field: str) -> None:
    answer = script.post("/api/line-up-limits", json=document)
    assert (answer.status_code, list(answer.json["error"]["fields"])) == (400, [field])
    assert script.get("/api/line-up-limits").json["limits"] == []


def test_a_stranger_may_neither_save_nor_read(stranger: Client) -> None:
    assert save(stranger, STRICT).status_code == 401
    assert stranger.get("/api/line-up-limits").status_code == 401
