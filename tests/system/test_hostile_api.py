"""Thousands of hostile questions to the whole product: no failure, no escape, and a stream that does not notice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.instruments.child import JsonChild
from tests.instruments.durations import is_long, seconds
from tests.instruments.netns import Namespace

Note = Callable[[str, object], None]  # pytest's record_property: figures for --junitxml

# In the suite, the time limits the number of requests; in a manual run, the number does.
SECONDS = seconds(12, long=600)
ROUNDS = seconds(1, long=10)
QUESTIONS = seconds(1500, long=10_000)
DEADLINE_S = 2 * SECONDS * ROUNDS + 300  # a busy machine is given the time that a question takes it


@pytest.mark.timeout(DEADLINE_S + 60)
def test_hostile_questions_meet_no_failure_no_foreign_file_and_disturb_nobody(
    light_sample: Path, record_property: Note
) -> None:
    with Namespace() as house:
        first = {"sample": str(light_sample), "examples": QUESTIONS, "seconds": SECONDS, "rounds": ROUNDS}
        with JsonChild("tests.instruments.fuzz", first=first, within=house.enter) as fuzz:
            figures = fuzz.wait_for_line("asked", deadline_s=DEADLINE_S)
            fuzz.wait(deadline_s=30)
    record_property("figures", figures)
    assert figures["asked"] >= (QUESTIONS if is_long() else 100)
    assert figures["wrong"] == []
    assert figures["failures_logged"] == 0
    assert figures["is_same_process"]
    assert figures["is_undisturbed"], figures["verdict"]
    assert {int(status) for status in figures["statuses"]} >= {200, 400, 404}
