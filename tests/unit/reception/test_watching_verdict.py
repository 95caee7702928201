"""What was seen and heard is part of a reception's verdict."""

from __future__ import annotations

from app.domain.figures.delivery_verdict import judge
from app.domain.figures.outputs import OutputsReport
from app.domain.figures.reception import DeliveryPoint, ReceivedCounters, Reception
from app.domain.figures.watching import LoudnessReport, PictureReport, SpellReport

RECEIVED = ReceivedCounters(packets_unique=1000)
RECEPTION = Reception(since=1000.0, second=DeliveryPoint(at=2000.0), received=RECEIVED, seconds=1000)


def test_a_present_spell_and_a_past_one_ask_for_attention() -> None:
    black, silent = SpellReport(since=1980.0, spells=1), SpellReport(spells=2, seconds=31.0, last_at=1500.0)
    outputs = OutputsReport(picture=PictureReport(black=black), loudness=LoudnessReport(silent=silent))
    verdict = judge(RECEPTION, lambda at: f"t{at:.0f}", outputs=outputs)
    assert verdict.severity == "attention"
    assert verdict.findings == (
        "the picture was black for the last 20 s, since t1980",
        "the sound was silent for 31 s in total, the last time until t1500",
    )


def test_a_picture_and_sound_in_order_say_nothing() -> None:
    outputs = OutputsReport(picture=PictureReport(), loudness=LoudnessReport(integrated_lufs=-23.0))
    assert judge(RECEPTION, str, outputs=outputs).severity == "good"
