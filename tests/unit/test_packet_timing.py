"""When packets are due: by their clock, even a faulty one; no burst, and no pause longer than the gap in the clock."""

from __future__ import annotations

from itertools import pairwise

import pytest

from app.mpegts.timing import ClockFault, NoClock, PacketTimer
from tests.instruments.ts_maker import NULL_PACKET, Programme, Recipe, make_ts, pcr_bytes
from tests.instruments.ts_reader import WRAP_27

HZ = 27_000_000
RATE = 1_504_000  # 1000 packets a second
STEP = HZ / 1000


def clock(pcr: int, pid: int = 0x100) -> bytes:
    """Return a packet with a PCR alone."""
    head = bytes([0x47, pid >> 8, pid & 0xFF, 0x20, 183, 0x10])
    return (head + pcr_bytes(pcr % WRAP_27)).ljust(188, b"\xff")


def stream(*pcrs: int, every: int = 20, pid: int = 0x100) -> bytes:
    """Return PCRs with null packets between them; the arguments are the packets from one PCR to the next."""
    return b"".join(clock(pcr, pid) + NULL_PACKET * (every - 1) for pcr in pcrs)


def times(timer: PacketTimer, *blocks: bytes) -> list[float]:
    """Return the due time of each packet, in ticks."""
    stretches = [stretch for block in blocks for stretch in timer.take(block)] + timer.finish()
    return [stretch.start + number * stretch.step for stretch in stretches for number in range(stretch.packets)]


def steps(due: list[float]) -> list[float]:
    """Return the time between successive packets."""
    return [after - before for before, after in pairwise(due)]


def regular(count: int, *, start: int = 0) -> list[int]:
    """Return PCRs 20 ms apart: 20 packets at RATE."""
    return [start + number * HZ // 50 for number in range(count)]


@pytest.mark.parametrize("bitrate_bps", [None, RATE])
@pytest.mark.parametrize("start", [0, 12345, WRAP_27 - HZ // 10], ids=["zero", "any", "wrap"])
def test_packets_lie_evenly_between_clock_readings(bitrate_bps: int | None, start: int) -> None:
    due = times(PacketTimer(bitrate_bps=bitrate_bps), stream(*regular(20, start=start)))
    assert len(due) == 400
    assert due[0] == 0
    assert steps(due) == pytest.approx([STEP] * 399)


def test_blocks_may_be_cut_anywhere_between_packets() -> None:
    data = stream(*regular(20))
    cut = [data[at : at + 188 * 7] for at in range(0, len(data), 188 * 7)]
    assert times(PacketTimer(), *cut) == pytest.approx(times(PacketTimer(), data))


def test_packets_before_the_first_clock_keep_the_first_pace() -> None:
    due = times(PacketTimer(), NULL_PACKET * 9 + stream(*regular(5)))
    assert steps(due) == pytest.approx([STEP] * 108)


def test_a_variable_rate_follows_its_clock() -> None:
    data = make_ts(Recipe(seconds=3, constant=False, programmes=[Programme(video_kbps=2000)]))
    due = times(PacketTimer(), data)
    assert all(step >= 0 for step in steps(due))
    assert due[-1] / HZ == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize(
    ("jump", "fault"),
    [(10 * HZ, ClockFault.JUMP), (-10 * HZ, ClockFault.BACKWARD), (-HZ // 50, ClockFault.BACKWARD)],
    ids=["ahead", "back", "stop"],
)
def test_a_clock_that_jumps_or_stops_changes_no_pace_and_is_reported(jump: int, fault: ClockFault) -> None:
    timer = PacketTimer()
    due = times(timer, stream(*regular(20)), stream(*regular(20, start=20 * HZ // 50 + jump)))
    assert steps(due) == pytest.approx([STEP] * 799)
    assert timer.faults == {fault}


def test_a_clock_that_never_moves_again_changes_no_pace() -> None:
    timer = PacketTimer()
    due = times(timer, stream(*regular(20)), stream(*[19 * HZ // 50] * 100))
    assert steps(due) == pytest.approx([STEP] * 2399)


def test_a_hole_of_a_second_at_most_is_a_hole_of_its_own_length() -> None:
    timer = PacketTimer()
    due = times(timer, stream(*regular(20)), stream(*regular(20, start=20 * HZ // 50 + HZ // 2)))
    assert max(steps(due)) * 20 == pytest.approx(HZ // 50 + HZ // 2)
    assert not timer.faults


def test_packets_flow_on_without_a_clock_and_without_delay_when_it_returns() -> None:
    timer = PacketTimer()
    due = times(timer, stream(*regular(20)), NULL_PACKET * 3000, stream(*regular(20, start=7 * HZ)))
    assert steps(due) == pytest.approx([STEP] * 3799)
    assert ClockFault.MISSING in timer.faults


def test_another_clock_is_followed_when_the_first_is_gone() -> None:
    timer = PacketTimer(clock_pid=0x100)
    other = stream(*regular(150, start=5 * HZ), pid=0x200)
    faster = stream(*regular(100, start=9 * HZ), every=40, pid=0x200)
    due = times(timer, stream(*regular(20)), other, faster)
    assert steps(due)[-1000:] == pytest.approx([STEP / 2] * 1000, rel=0.01)


def test_two_clocks_are_not_mixed() -> None:
    mixed = b"".join(clock(pcr) + clock(3 * HZ - pcr // 2, pid=0x200) + NULL_PACKET * 18 for pcr in regular(50))
    timer = PacketTimer(clock_pid=0x100)
    assert steps(times(timer, mixed)) == pytest.approx([STEP] * 999)
    assert not timer.faults


def test_a_step_that_would_be_a_burst_keeps_the_pace() -> None:
    timer = PacketTimer()
    burst = [20 * HZ // 50, 20 * HZ // 50 + 100]
    due = times(timer, stream(*regular(20)), stream(*burst, every=2000), stream(*regular(5, start=9 * HZ)))
    assert min(steps(due)) == pytest.approx(STEP, rel=0.01)


def test_without_any_clock_and_rate_it_says_so() -> None:
    with pytest.raises(NoClock):
        PacketTimer().take(NULL_PACKET * 50_000)
