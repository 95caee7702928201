"""`mcr line-up` without a server: the plan of its options, and what it prints."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import msgspec
import pytest
from click.testing import CliRunner

from app.cli.api import Api, ServerUnreachable
from app.cli.line_up import follow, line_up, plan_document, report_lines
from app.web.presenters.line_up import present_run
from tests.instruments.waiting import free_port
from tests.web.fake_line_ups import stored_line_up


def test_the_options_make_the_plan_and_leave_out_what_is_not_given() -> None:
    asked = plan_document(
        receiver="far/def567", stream="abc234", profile="quick", limits_name=None, margin=True, margin_s=30
    )
    assert asked == {
        "profile": "quick",
        "stream": "abc234",
        "receiver": {"kind": "remote", "host": "far", "key": "def567"},
        "margin": True,
        "margin_s": 30,
    }
    assert plan_document(stream="abc234", limits_name="Strict", duration_s=60, margin=False, rate_steps=True) == {
        "stream": "abc234",
        "limits_name": "Strict",
        "duration_s": 60,
        "rate_steps": True,
    }


def test_an_option_replaces_the_value_of_the_plan_file(tmp_path: Path) -> None:
    (plan := tmp_path / "plan.json").write_text('{"profile": "booking", "far_end": "OB van 3"}')
    assert plan_document(plan, profile=None) == {"profile": "booking", "far_end": "OB van 3"}
    assert plan_document(plan, profile="quick") == {"profile": "quick", "far_end": "OB van 3"}


def test_a_figure_that_is_no_pass_says_why_below_it() -> None:
    lines = report_lines(msgspec.to_builtins(present_run(stored_line_up(), 2_000_000_000.0)))
    at = next(at for at, line in enumerate(lines) if at and "Latency for the link × 2" in line)
    assert lines[at].split() == ["Remark", "Latency", "for", "the", "link", "×", "2", "375", "ms", "limit", "250", "ms"]
    assert (
        lines[at + 1]
        .strip()
        .startswith("Does not hold at the latency of the line, 250 ms. The line showed RTT 20.0 ms")
    )
    assert not any("Integrated loudness" in line for line in lines), "it passed"


def test_a_web_process_that_restarts_does_not_end_the_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cli.line_up._LOOK_EVERY_S", 0.0)
    answers: list[dict[str, object] | None] = [None, None, {"id": "a", "is_running": False}]

    class Restarting:
        def get(self, path: str) -> dict[str, object]:
            if (answer := answers.pop(0)) is None:
                raise ServerUnreachable(path)
            return answer

    run = follow(cast("Api", Restarting()), {"id": "a", "is_running": True})
    assert run == {"id": "a", "is_running": False}


@pytest.mark.parametrize("options", [["--profile", "long"], ["--stream", "abc234"], ["--plan", "/nowhere.json"]])
def test_a_test_that_cannot_be_started_has_no_verdict_as_its_exit_status(options: list[str]) -> None:
    api = Api({"PORT": str(free_port()), "API_KEY": "key"})
    assert CliRunner().invoke(line_up, options, obj=api).exit_code == 3
