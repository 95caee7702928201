"""A line-up test's verdict from made-up seconds: each fault is named, each limit has its margin."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from app.domain.errors import InvalidInput
from app.domain.lineup.conclusion import Conclusion, Verdict, conclude
from app.domain.lineup.lines import Line
from app.domain.lineup.measured import (
    Check,
    CheckVerdict,
    IndicatorSeconds,
    Measured,
    ReceiverSecond,
    SenderSecond,
    extended,
)
from app.domain.lineup.plan import LocalReceiver, NotOurs, Plan, parse_plan
from app.domain.lineup.run import Run, RunState, decode_run, digest, encode_run
from app.web.presenters.line_up import present_run
from tests.web.fake_line_ups import stored_line_up

PLAN = Plan(stream="abc234", receiver=LocalReceiver("def567"), profile="quick", duration_s=60)
CLEAN = (IndicatorSeconds("pat_error_2", 1, 0), IndicatorSeconds("pts_error", 2, 0))


def receiver(at: int, **changes: object) -> ReceiverSecond:
    second = ReceiverSecond(at=1000.0 + at, packets_unique=760, latency_ms=200, headroom_ms=150, rtt_ms=20.0)
    return msgspec.structs.replace(second, **changes)


def sender(at: int, **changes: object) -> SenderSecond:
    second = SenderSecond(at=1000.0 + at, packets_unique=760, peers=1, payload_mbps=8.0, wire_mbps=8.3, rtt_ms=20.0)
    return msgspec.structs.replace(second, **changes)


def measured(change: Callable[[int], dict[str, object]] = lambda at: {}, **more: object) -> Measured:
    """Sixty clean seconds at both ends, with changes to single seconds of the receiver."""
    whole = Measured(
        sender=tuple(sender(at) for at in range(1, 61)),
        receiver=tuple(receiver(at, **change(at)) for at in range(1, 61)),
        indicators=CLEAN,
    )
    return msgspec.structs.replace(whole, **more)


def line(conclusion: Conclusion, name: str) -> Line:
    return next(each for each in conclusion.lines if each.name == name)


def test_a_clean_link_passes_and_says_how_much_that_proves() -> None:
    conclusion = conclude(PLAN, measured())
    assert conclusion.verdict is Verdict.PASS
    assert "none lost" in conclusion.headline
    assert "95 % confidence" in line(conclusion, "lost_packets_max").note
    assert "fewer than 1 in 15,200" in line(conclusion, "lost_packets_max").note


def test_lost_packets_fail_with_the_time_of_the_worst_second() -> None:
    conclusion = conclude(PLAN, measured(lambda at: {"packets_lost": 7 if at == 30 else at % 2}))
    lost = line(conclusion, "lost_packets_max")
    assert conclusion.verdict is Verdict.FAIL
    assert (lost.got, lost.limit, lost.margin, lost.worst_at) == (37, 0, -37, 1030.0)
    assert "lost 37 packets" in conclusion.headline


def test_a_frozen_output_fails_although_nothing_was_lost() -> None:
    conclusion = conclude(PLAN, measured(lambda at: {"gap_ms": 610.0, "frozen_ms": 610.0} if at == 9 else {}))
    assert conclusion.verdict is Verdict.FAIL
    assert conclusion.headline == "The output froze for 0.6 s although no packet was lost."


def test_a_receiving_host_that_stood_still_is_named_instead_of_the_encoder() -> None:
    pause = {"gap_ms": 900.0, "continuity_errors": 2, "encoder_errors": 2}
    conclusion = conclude(PLAN, measured(lambda at: {**pause, "is_held_up": True} if at == 9 else {}))
    assert conclusion.verdict is Verdict.FAIL
    assert conclusion.headline.startswith("The receiving host was too busy to receive in 1 s.")
    assert "encoder" not in conclusion.headline


def test_a_connection_that_is_back_within_a_second_is_an_interruption() -> None:
    conclusion = conclude(PLAN, measured(reconnected=(1030.5,)))
    assert line(conclusion, "interruptions_max").got == 1
    assert conclusion.headline == "The connection was lost once."


def test_a_cap_that_is_reached_without_retransmissions_is_no_cause() -> None:
    burst = tuple(sender(at, wire_mbps=8.8, packets_retransmitted=0) for at in range(1, 61))
    conclusion = conclude(PLAN, measured(lambda at: {"packets_lost": 7 if at == 30 else 0}, sender=burst, cap_mbps=8.8))
    assert "cap" not in conclusion.headline


@pytest.mark.parametrize(
    ("ends", "covered"),
    [
        ([at * 1.2 for at in range(50)], 60),  # late accounts of a busy host
        ([float(at) for at in range(60) if at not in (20, 21, 22)], 57),  # a hole
    ],
)
def test_seconds_measured_are_the_time_that_the_accounts_cover(ends: list[float], covered: float) -> None:
    conclusion = conclude(PLAN, measured(receiver=tuple(ReceiverSecond(1001 + end, 760) for end in ends)))
    assert line(conclusion, "seconds_measured").got == covered


def test_a_sending_host_that_delayed_its_stream_is_named_where_its_clock_paused() -> None:
    paused = (IndicatorSeconds("pcr_repetition_error", 2, 2),)
    conclusion = conclude(PLAN, measured(indicators=paused, sender_delayed=(1009.0, 1020.0)))
    assert conclusion.headline.startswith("The sending host was too busy and delayed the stream.")
    assert "TR 101 290 priority 2: 2 s, limit 0. Worst indicator: pcr_repetition_error." in conclusion.headline
    assert conclude(PLAN, measured(sender_delayed=(1009.0,))).verdict is Verdict.PASS


def test_a_broken_encoder_is_named() -> None:
    conclusion = conclude(PLAN, measured(lambda at: {"continuity_errors": 2, "encoder_errors": 2} if at < 4 else {}))
    assert conclusion.verdict is Verdict.FAIL
    assert "encoder made 6 continuity errors" in conclusion.headline


def test_an_overhead_that_is_too_small_names_the_cap() -> None:
    whole = measured(
        lambda at: {"packets_lost": 30},
        sender=tuple(sender(at, wire_mbps=8.78, packets_retransmitted=90) for at in range(1, 61)),
        cap_mbps=8.8,
    )
    assert "sending cap was reached" in conclude(PLAN, whole).headline


def test_order_keeping_jitter_passes() -> None:
    assert conclude(PLAN, measured(lambda at: {"rtt_ms": 20.0 + at % 20})).verdict is Verdict.PASS


def test_an_indicator_fails_by_its_name() -> None:
    conclusion = conclude(PLAN, measured(indicators=(IndicatorSeconds("pat_error_2", 1, 3), *CLEAN[1:])))
    assert conclusion.verdict is Verdict.FAIL
    assert line(conclusion, "priority_1_error_seconds_max").note == "Worst indicator: pat_error_2."


def test_a_lost_connection_is_counted_once_for_each_loss() -> None:
    conclusion = conclude(PLAN, measured(lambda at: {"is_connected": at not in (10, 11, 40)}))
    assert line(conclusion, "interruptions_max").got == 2
    assert "The connection was lost 2 times." in conclusion.headline


def test_what_no_one_measured_is_a_remark_and_is_said() -> None:
    plan = msgspec.structs.replace(PLAN, receiver=NotOurs())
    conclusion = conclude(plan, msgspec.structs.replace(measured(), receiver=(), indicators=None))
    assert conclusion.verdict is Verdict.REMARKS
    assert "Not measured: Packets lost" in conclusion.headline
    assert line(conclusion, "lost_packets_max").got is None


def test_missing_seconds_are_a_remark() -> None:
    whole = measured()
    conclusion = conclude(PLAN, msgspec.structs.replace(whole, receiver=whole.receiver[:50]))
    assert conclusion.verdict is Verdict.REMARKS
    assert line(conclusion, "seconds_measured").margin == -10


def test_a_little_headroom_is_a_remark_and_a_failed_check_fails() -> None:
    assert conclude(PLAN, measured(lambda at: {"headroom_ms": 10})).verdict is Verdict.REMARKS
    check = Check("Encryption", "AES-256", "none", "AES-256", CheckVerdict.FAIL)
    assert conclude(PLAN, measured(checks=(check,))).headline == "Encryption: none."


def test_each_limit_can_be_changed() -> None:
    plan = msgspec.structs.replace(PLAN, limits=msgspec.structs.replace(PLAN.limits, lost_packets_max=40))
    conclusion = conclude(plan, measured(lambda at: {"packets_lost": 37 if at == 5 else 0}))
    assert (conclusion.verdict, line(conclusion, "lost_packets_max").margin) == (Verdict.PASS, 3)


def test_seconds_that_are_read_twice_count_once() -> None:
    whole = extended(Measured(), receiver=[receiver(1), receiver(2)])
    # After a restart of the web process, its conversion of the worker's clock differs by less than a millisecond.
    again = msgspec.structs.replace(receiver(2), at=receiver(2).at + 1e-3)
    assert extended(whole, receiver=[again, receiver(3)]).receiver == (receiver(1), receiver(2), receiver(3))


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "stream"),
        ({"stream": "abc", "colour": "red"}, "colour"),
        ({"stream": "abc", "profile": "forever"}, "profile"),
        ({"stream": "abc", "duration_s": 5}, "duration_s"),
        ({"stream": "abc", "limits": {"output_gap_max_ms": -1}}, "limits.output_gap_max_ms"),
        ({"stream": "abc", "receiver": {"kind": "moon"}}, "receiver"),
        ({"stream": "abc", "far_end": "a\x00b"}, "far_end"),
        ([], "plan"),
    ],
)
def test_a_wrong_plan_is_refused_by_field(document: object, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_plan(document)
    assert any(name.startswith(field) for name in caught.value.fields)


def test_a_run_survives_its_json_and_its_digest_changes_with_a_figure() -> None:
    run = Run("20261124-190000-abcd", PLAN, RunState.DONE, 1000.0, performance_at=1000.0, measured=measured()).judged()
    again = decode_run(encode_run(run))
    assert again == run
    other = msgspec.structs.replace(run, measured=measured(lambda at: {"packets_lost": 1}))
    assert digest(again) == digest(run) != digest(other)


def test_a_figure_without_a_limit_is_shown_as_such_and_not_as_passed() -> None:
    lines = {line.name: line for line in present_run(stored_line_up(), now=0.0).lines}
    without = [line for line in lines.values() if line.limit is None and line.got is not None]
    assert without
    assert {line.verdict_text for line in without} == {"No limit"}
    assert lines["lost_packets_max"].verdict_text == "Pass"
    assert "fewer than 1 in 15,200 of all packets" in lines["lost_packets_max"].note
