"""Picture and sound in a line-up report: what decoders report, what a run makes of it, and the limits on request."""

from __future__ import annotations

import msgspec
import pytest

from app.domain.errors import InvalidInput
from app.domain.figures.outputs import OutputsReport
from app.domain.figures.watching import DecoderReport, LoudnessReport, PictureReport, SpellReport
from app.domain.lineup.conclusion import Conclusion, Verdict, conclude
from app.domain.lineup.content import Content, content_of, content_since
from app.domain.lineup.limits import Limits
from app.domain.lineup.lines import Line
from app.domain.lineup.measured import CheckVerdict, IndicatorSeconds, Measured, ReceiverSecond
from app.domain.lineup.plan import LocalReceiver, Plan, parse_plan

RUNS = DecoderReport(is_running=True)
SOUND = Content(silent_s=0.0, loudness_since=1_769_847_300.0, integrated_lufs=-24.2, true_peak_dbtp=-3.1)


def judged(content: Content | None, **limits: float) -> Conclusion:
    """Return the conclusion of ten clean seconds with this content."""
    seconds = tuple(
        ReceiverSecond(1000.0 + at, 760, latency_ms=250, headroom_ms=200, rtt_ms=20.0) for at in range(1, 11)
    )
    plan = Plan(receiver=LocalReceiver("def567"), duration_s=10, limits=msgspec.convert(limits, Limits))
    return conclude(plan, Measured(receiver=seconds, indicators=(IndicatorSeconds("a", 1, 0),), content=content))


def lines_of(conclusion: Conclusion) -> dict[str, Line]:
    names = ("black_max_s", "frozen_max_s", "silent_max_s", "loudness_deviation_max_lu", "true_peak_max_dbtp")
    return {line.name: line for line in conclusion.lines if line.name in names}


def test_a_present_spell_counts_until_now_and_a_decoder_that_does_not_run_measures_nothing() -> None:
    black, frozen = SpellReport(since=1012.0, seconds=30.0), SpellReport(seconds=11.0)
    picture = PictureReport(RUNS, black=black, frozen=frozen)
    loudness = LoudnessReport(DecoderReport(), integrated_lufs=-23.0)
    found = content_of(OutputsReport(picture=picture, loudness=loudness), now=1020.0)
    assert found == Content(black_s=38.0, frozen_s=11.0)
    assert content_of(OutputsReport(), now=1020.0) == Content()


def test_a_run_counts_what_its_own_time_added_also_after_a_reset() -> None:
    before = Content(black_s=38.0, frozen_s=11.0, silent_s=20.0)
    now = msgspec.structs.replace(SOUND, black_s=50.5, frozen_s=3.0)
    since = content_since(before, now)
    assert (since.black_s, since.frozen_s, since.silent_s) == (12.5, 3.0, 0.0)
    assert (since.integrated_lufs, since.loudness_since) == (-24.2, SOUND.loudness_since)
    assert content_since(Content(), now) == now


def test_without_a_limit_the_figures_are_information_and_without_a_decoder_there_are_none() -> None:
    conclusion = judged(SOUND)
    lines = lines_of(conclusion)
    assert conclusion.verdict is Verdict.PASS
    assert list(lines) == ["silent_max_s", "loudness_deviation_max_lu", "true_peak_max_dbtp"]
    loud = lines["loudness_deviation_max_lu"]
    assert (loud.got, loud.limit, loud.margin, loud.verdict) == (1.2, None, None, CheckVerdict.PASS)
    assert loud.note == "Integrated loudness -24.2 LUFS since 2026-01-31 08:15:00 UTC."
    assert lines_of(judged(None)) == {}


def test_a_limit_that_the_plan_asks_for_passes_or_fails_with_its_margin() -> None:
    inside = lines_of(judged(SOUND, loudness_deviation_max_lu=1.5, true_peak_max_dbtp=-1))
    assert (inside["loudness_deviation_max_lu"].margin, inside["true_peak_max_dbtp"].margin) == (0.3, 2.1)
    outside = judged(msgspec.structs.replace(SOUND, black_s=12.5), loudness_deviation_max_lu=1, black_max_s=0)
    assert outside.verdict is Verdict.FAIL
    assert outside.headline == "Black picture: 12.5 s, limit 0. Loudness deviation: 1.2 LU, limit 1."


def test_a_limit_on_what_is_not_decoded_is_a_remark_that_says_so() -> None:
    conclusion = judged(None, frozen_max_s=0)
    assert conclusion.verdict is Verdict.REMARKS
    assert lines_of(conclusion)["frozen_max_s"].note == "Not measured: the receive stream does not decode it."
    quiet = judged(msgspec.structs.replace(SOUND, integrated_lufs=None), loudness_deviation_max_lu=1)
    assert lines_of(quiet)["loudness_deviation_max_lu"].note.startswith("Nothing was louder than -70 LUFS since 2026")


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({"black_max_s": -1}, "limits.black_max_s"),
        ({"loudness_deviation_max_lu": 51}, "limits.loudness_deviation_max_lu"),
        ({"true_peak_max_dbtp": "loud"}, "limits.true_peak_max_dbtp"),
    ],
)
def test_a_wrong_limit_is_refused_by_field(limits: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_plan({"stream": "abc", "limits": limits})
    assert list(caught.value.fields) == [field]
