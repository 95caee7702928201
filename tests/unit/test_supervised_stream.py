"""One stream under supervision: launched, followed, retried, stopped. Pretended workers and a controlled clock."""

from __future__ import annotations

import pytest

from app.domain.reasons import AWAY_BACK_OFF_S, BACK_OFF_S
from app.domain.spec import MulticastSource
from app.domain.status import Order, Phase, Reason
from app.protocol import Ended
from tests.instruments.pretended_launcher import Stage, phase


@pytest.fixture
def stage() -> Stage:
    """A stream that was ordered to run, its worker launched."""
    made = Stage()
    made.order_start()
    return made


def seconds_until_launch(stage: Stage) -> float:
    """Return the seconds until the supervisor launches the next worker."""
    launched, since = len(stage.launcher.workers), stage.now
    while len(stage.launcher.workers) == launched:
        assert stage.now - since < 120, "nothing is launched any more"
        stage.pass_time(0.1)
    return stage.now - since


def test_a_started_stream_waits_for_a_receiver_and_then_delivers(stage: Stage) -> None:
    assert phase(stage) == (Phase.STARTING, None)
    stage.come_up()
    assert phase(stage) == (Phase.WAITING, None)
    stage.deliver(3)
    assert phase(stage) == (Phase.DELIVERING, None)
    assert len(stage.launcher.workers) == 1


def test_a_receiver_that_does_not_acknowledge_is_a_stall(stage: Stage) -> None:
    stage.come_up()
    stage.deliver(5, acknowledged=False)
    assert phase(stage) == (Phase.STALLED, Reason.NO_ACKNOWLEDGEMENT)


def test_a_live_channel_without_packets_is_a_stall_and_recovers() -> None:
    stage = Stage(MulticastSource("239.1.1.1", 5000))
    stage.order_start()
    stage.come_up()
    stage.deliver(3)
    assert phase(stage) == (Phase.DELIVERING, None)
    stage.deliver(1, age_s=2.1)
    assert phase(stage) == (Phase.STALLED, Reason.NO_INPUT)
    stage.deliver(1)
    assert phase(stage) == (Phase.DELIVERING, None)


def test_a_file_that_is_read_rarely_is_not_a_stall(stage: Stage) -> None:
    stage.come_up()
    stage.deliver(3, age_s=30)
    assert phase(stage) == (Phase.DELIVERING, None)


def test_retries_come_ever_later_and_their_reason_stays_visible(stage: Stage) -> None:
    for expected_s in (*BACK_OFF_S, BACK_OFF_S[-1]):
        stage.come_up()
        stage.end_worker(Reason.INTERFACE_MISSING)
        assert phase(stage) == (Phase.BACKING_OFF, Reason.INTERFACE_MISSING)
        assert expected_s - 0.2 <= seconds_until_launch(stage) <= expected_s * 1.1 + 0.2
        assert phase(stage) == (Phase.STARTING, Reason.INTERFACE_MISSING)
    assert stage.stream.status.restarts == len(BACK_OFF_S) + 1


@pytest.mark.parametrize("reason", [Reason.CONNECTION_TIMEOUT, Reason.CONNECTION_LOST], ids=str)
def test_a_far_end_that_was_away_for_minutes_is_called_within_seconds_of_its_return(
    stage: Stage, reason: Reason
) -> None:
    for _ in range(60):  # a call to a far end that is away takes 3 s: more than three minutes of absence
        stage.come_up()
        stage.pass_time(3, step_s=0.5)
        stage.end_worker(reason)
        assert seconds_until_launch(stage) <= AWAY_BACK_OFF_S[-1] * 1.1 + 0.2 < 4
    stage.come_up()
    stage.deliver(2)
    assert phase(stage) == (Phase.DELIVERING, None)


def test_a_worker_that_runs_out_of_memory_again_and_again_is_never_given_up(stage: Stage) -> None:
    for _ in range(10):
        stage.come_up()
        stage.end_worker(Reason.OUT_OF_MEMORY)
        assert phase(stage) == (Phase.BACKING_OFF, Reason.OUT_OF_MEMORY)
        assert seconds_until_launch(stage) <= 67


def test_a_peer_that_rejects_us_is_called_every_quarter_of_a_minute(stage: Stage) -> None:
    for least_s in (5, 10, 15, 15):
        stage.come_up()
        stage.end_worker(Reason.CONNECTION_REJECTED)
        assert least_s - 0.2 <= seconds_until_launch(stage) <= least_s * 1.1 + 0.2


def test_a_minute_of_delivery_makes_the_next_retry_quick_again(stage: Stage) -> None:
    for _ in range(4):
        stage.come_up()
        stage.end_worker(Reason.INTERFACE_MISSING)
        seconds_until_launch(stage)
    stage.come_up()
    stage.deliver(63)
    stage.end_worker(Reason.INTERFACE_MISSING)
    assert seconds_until_launch(stage) <= 1.3


def test_some_seconds_of_delivery_do_not(stage: Stage) -> None:
    for _ in range(4):
        stage.come_up()
        stage.end_worker(Reason.INTERFACE_MISSING)
        seconds_until_launch(stage)
    stage.come_up()
    stage.deliver(30)
    stage.end_worker(Reason.INTERFACE_MISSING)
    assert seconds_until_launch(stage) >= 15


@pytest.mark.parametrize("reason", [Reason.WRONG_PASSPHRASE, Reason.PASSPHRASE_REQUIRED], ids=str)
def test_a_far_end_with_another_passphrase_is_called_every_half_minute_at_most(stage: Stage, reason: Reason) -> None:
    for least_s in (30, 60, 60):
        stage.come_up()
        stage.end_worker(reason)
        assert phase(stage) == (Phase.BACKING_OFF, reason)
        assert least_s - 0.2 <= seconds_until_launch(stage) <= least_s * 1.1 + 0.2


@pytest.mark.parametrize(
    "reason", [Reason.FILE_MISSING, Reason.NO_PCR, Reason.BAD_OPTION, Reason.MISSING_ELEMENT], ids=str
)
def test_what_time_cannot_heal_is_not_tried_again(stage: Stage, reason: Reason) -> None:
    stage.come_up()
    stage.end_worker(reason)
    stage.pass_time(200, step_s=1)
    assert phase(stage) == (Phase.FAILED, reason)
    assert len(stage.launcher.workers) == 1


def test_the_end_of_a_file_is_a_good_end(stage: Stage) -> None:
    stage.come_up()
    stage.deliver(2)
    stage.end_worker(Reason.END_OF_FILE)
    stage.pass_time(100, step_s=1)
    assert phase(stage) == (Phase.STOPPED, Reason.END_OF_FILE)
    assert stage.stream.status.order is Order.STOP
    assert len(stage.launcher.workers) == 1


@pytest.mark.parametrize("says", [True, False], ids=["said", "left behind"])
def test_the_reason_is_known_whether_it_was_said_or_left_behind(stage: Stage, says: bool) -> None:
    stage.come_up()
    stage.end_worker(Reason.CONNECTION_TIMEOUT, says=says)
    assert phase(stage) == (Phase.BACKING_OFF, Reason.CONNECTION_TIMEOUT)
    assert stage.stream.snapshot(stage.now).detail == "as pretended"


def test_a_worker_that_dies_without_a_word_crashed_and_three_in_a_row_are_a_failure(stage: Stage) -> None:
    for _ in range(2):
        stage.come_up()
        stage.worker.die()
        stage.pass_time(0)
        assert phase(stage) == (Phase.BACKING_OFF, Reason.WORKER_CRASHED)
        seconds_until_launch(stage)
    stage.worker.die()
    stage.pass_time(0)
    assert phase(stage) == (Phase.FAILED, Reason.WORKER_CRASHED)
    stage.pass_time(200, step_s=1)
    assert len(stage.launcher.workers) == 3


def test_a_worker_that_leaves_unasked_is_not_taken_for_a_stop(stage: Stage) -> None:
    stage.come_up()
    stage.end_worker(None)
    assert phase(stage) == (Phase.BACKING_OFF, Reason.WORKER_CRASHED)


def test_a_worker_that_grew_too_large_comes_back_and_its_reason_stays_visible(stage: Stage) -> None:
    stage.come_up()
    stage.deliver(3)
    stage.end_worker(Reason.OUT_OF_MEMORY)
    assert phase(stage) == (Phase.BACKING_OFF, Reason.OUT_OF_MEMORY)
    assert seconds_until_launch(stage) >= BACK_OFF_S[0] - 0.2
    assert phase(stage) == (Phase.STARTING, Reason.OUT_OF_MEMORY)


@pytest.mark.parametrize("says", [True, False], ids=["said", "left behind"])
def test_a_worker_that_gave_its_last_word_and_does_not_leave_is_killed_and_believed(stage: Stage, says: bool) -> None:
    stage.come_up()
    stage.deliver(3)
    word = Ended(stage.now, Reason.ENGINE_ERROR, "its own word")
    if says:
        stage.worker.say(word)
    stage.worker.linger(word)
    stage.pass_time(0.8)
    assert stage.worker.signals == [], "who is leaving is given a moment"
    stage.pass_time(0.5)
    assert stage.worker.signals == ["KILL"]
    assert phase(stage) == (Phase.BACKING_OFF, Reason.ENGINE_ERROR)
    assert stage.stream.snapshot(stage.now).detail == "its own word"


def test_a_worker_that_falls_silent_is_killed_and_called_hung(stage: Stage) -> None:
    stage.come_up()
    stage.deliver(3)
    stage.pass_time(4.5)
    assert stage.worker.is_alive()
    stage.pass_time(1.5)
    assert stage.worker.signals[0] == "KILL"
    assert phase(stage) == (Phase.BACKING_OFF, Reason.WORKER_HUNG)


def test_a_worker_that_never_serves_gets_longer_and_is_killed_too(stage: Stage) -> None:
    stage.worker.serves = False
    stage.stream.link.connection = None
    stage.pass_time(14)
    assert stage.worker.is_alive()
    stage.pass_time(2)
    assert phase(stage) == (Phase.BACKING_OFF, Reason.WORKER_HUNG)


def test_a_moment_in_which_we_could_not_listen_is_not_held_against_the_worker(stage: Stage) -> None:
    stage.come_up()
    stage.deliver(2)
    stage.now += 30
    stage.stream.forgive(30)
    stage.pass_time(0.1)
    assert stage.worker.is_alive()


def test_a_worker_that_cannot_be_launched_is_tried_again(stage: Stage) -> None:
    stage.come_up()
    stage.end_worker(Reason.CONNECTION_LOST)
    stage.launcher.fails = OSError(11, "Resource temporarily unavailable")
    stage.pass_time(1.2)
    assert phase(stage) == (Phase.BACKING_OFF, Reason.WORKER_CRASHED)
    assert "temporarily unavailable" in stage.stream.snapshot(stage.now).detail
    stage.launcher.fails = None
    seconds_until_launch(stage)
    stage.come_up()
    assert phase(stage)[0] is Phase.WAITING
