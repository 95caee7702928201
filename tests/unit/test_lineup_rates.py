"""The rate steps of a line-up test from made-up seconds: which step fails, which capacity follows."""

from __future__ import annotations

import pytest

from app.domain.constants import SRT_PAYLOAD_BYTES
from app.domain.errors import InvalidInput
from app.domain.lineup.measured import Check, CheckVerdict, ReceiverSecond
from app.domain.lineup.plan import Plan, parse_plan
from app.domain.lineup.rates import RateOutcome, SentRate, judge_steps, rates_of

RATES = rates_of(8e6, 25)
PACKETS = [round(rate / 8 / SRT_PAYLOAD_BYTES) for rate in RATES]


def sent(count: int = len(RATES)) -> tuple[SentRate, ...]:
    return tuple(
        SentRate(rate, 1000.0 + 10 * step, 1010.0 + 10 * step, 10 * PACKETS[step], 3)
        for step, rate in enumerate(RATES[:count])
    )


def seconds(*, capacity: float = 1e9, lost_at: int | None = None, headroom_ms: int = 150) -> list[ReceiverSecond]:
    """Fifty seconds behind a path that carries `capacity` packets a second."""
    return [
        ReceiverSecond(
            1000.4 + at,
            round(min(PACKETS[min(4, at // 10)], capacity)),
            packets_lost=7 if at == lost_at else 0,
            latency_ms=200,
            headroom_ms=headroom_ms,
        )
        for at in range(51)
    ]


def judged(outcome: RateOutcome, found: list[ReceiverSecond]) -> dict[str, Check]:
    return {check.title: check for check in judge_steps(Plan(), outcome, found, 25)}


def test_the_steps_are_those_of_y_1564_and_one_with_the_overhead() -> None:
    assert RATES == (4_000_000, 6_000_000, 7_200_000, 8_000_000, 10_000_000)


def test_a_path_with_room_passes_every_step() -> None:
    checks = judged(RateOutcome(sent()), seconds())
    assert {check.verdict for check in checks.values()} == {CheckVerdict.PASS}
    assert checks["Capacity"].got == "at least 10.00 Mb/s"
    assert checks["Rate 100 %"].got == "8.00 Mb/s delivered, 0 packets lost, 0.0 % resent, lowest headroom 75 %"


def test_a_path_without_room_for_the_overhead_is_a_remark_and_names_the_capacity() -> None:
    checks = judged(RateOutcome(sent()), seconds(capacity=1.1 * PACKETS[3]))
    assert checks["Rate 100 %"].verdict is CheckVerdict.PASS
    assert checks["Rate 100 % + overhead 25 %"].verdict is CheckVerdict.REMARK
    assert checks["Capacity"].got == "between 8.00 Mb/s and 10.00 Mb/s"


def test_a_path_that_carries_less_than_the_programme_fails() -> None:
    checks = judged(RateOutcome(sent()), seconds(capacity=PACKETS[1]))
    assert [check.verdict for check in checks.values()][:5] == [
        CheckVerdict.PASS,
        CheckVerdict.PASS,
        CheckVerdict.FAIL,
        CheckVerdict.FAIL,
        CheckVerdict.REMARK,
    ]


def test_a_loss_fails_its_own_step_only() -> None:
    checks = judged(RateOutcome(sent()), seconds(lost_at=15))
    assert [title for title, check in checks.items() if check.verdict is CheckVerdict.FAIL] == ["Rate 75 %"]
    assert "7 packets lost" in checks["Rate 75 %"].got


def test_little_headroom_is_a_remark() -> None:
    assert judged(RateOutcome(sent()), seconds(headroom_ms=10))["Rate 50 %"].verdict is CheckVerdict.REMARK


def test_steps_behind_a_lost_connection_are_not_measured() -> None:
    checks = judged(RateOutcome(sent(2), "the connection was lost"), seconds()[:21])
    assert checks["Rate steps"].got == "ended after 2 of 5 steps: the connection was lost"
    assert checks["Rate steps"].verdict is CheckVerdict.UNKNOWN


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"stream": "a", "rate_steps": True, "bitrate_mbps": 0.01}, "bitrate_mbps"),
        ({"stream": "a", "bitrate_mbps": "fast"}, "bitrate_mbps"),
        ({"receiver": {"kind": "local", "key": "b"}, "rate_steps": True}, "rate_steps"),
    ],
)
def test_a_plan_whose_steps_cannot_be_made_is_refused(document: object, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_plan(document)
    assert field in refused.value.fields
