"""The live analysis of a received stream: pure, incremental, bounded in memory.

Received payloads are collected for a tenth of a second and then examined together, so that C code does the work for
each packet. The caller provides all times. The best time of a payload is when it is due at the output, because that has
no network jitter.
"""

from __future__ import annotations

from typing import Final

from app.domain.constants import NULL_PID
from app.domain.figures.live_report import Content, IndicatorState, LiveReport
from app.mpegts.inspect.live.blocks import BatchClock, BlockExaminer
from app.mpegts.inspect.live.indicators import Board
from app.mpegts.inspect.live.summary import list_pids, list_services
from app.mpegts.inspect.live.synchronisation import Synchroniser
from app.mpegts.packets import PACKET_BYTES

_BATCH_S: Final = 0.1
_BATCH_BYTES: Final = 64 * 1024
# After this long without a payload, synchronisation counts as lost.
SILENCE_S: Final = 1.0
# Possible faults of synchronisation.
_SILENT, _OUT_OF_STEP = 0, 1


class LiveAnalyser:
    """Takes payloads in the order of their output, and returns a report at any time."""

    def __init__(self, now: float) -> None:
        self._since = self._last_at = now
        self._second = int(now)
        self._board = Board()
        self._sync = Synchroniser()
        self._examiner = BlockExaminer(self._board, now)
        self._payloads: list[bytes] = []
        self._times: list[float] = []
        self._ends: list[int] = []
        self._size = 0
        self._odd_payloads = 0
        # False before the first payload, after an interruption and in a silence: nothing is expected then.
        self._is_running = False

    def feed(self, data: bytes, at: float) -> None:
        """Take the next payload and its time. A time before the last one counts as the last one."""
        at = max(at, self._last_at)
        if self._is_running and at - self._last_at > SILENCE_S:
            self._fall_silent(at)
        if not self._is_running:
            self._resume(at)
        if self._times and (at - self._times[0] >= _BATCH_S or self._size >= _BATCH_BYTES or int(at) != self._second):
            self._examine()
        if int(at) != self._second:
            self._end_seconds(at)
        self._last_at = at
        if len(data) % PACKET_BYTES:
            data = self._sync.unwrap(data)
            self._odd_payloads += len(data) % PACKET_BYTES != 0
        self._payloads.append(data)
        self._times.append(at)
        self._size += len(data)
        self._ends.append(self._size)

    def lose(self) -> None:
        """Note that packets were dropped before the next payload: measurements by byte position start again."""
        self._examine()
        self._examiner.clocks.lose_position()

    def interrupt(self) -> None:
        """Note that the connection ended: nothing is expected until the next payload."""
        self._examine()
        self._sync.lose()
        self._examiner.continuity.forget()
        self._examiner.pids.interrupt()
        self._board.suspend(but=None)
        self._is_running = False

    def reset(self, now: float) -> None:
        """Count from 0. The contents of the tables remain known."""
        self._examine()
        self._since = now
        self._board.reset()
        self._examiner.reset()
        self._sync.bytes_skipped = self._odd_payloads = 0

    @property
    def continuity_errors_total(self) -> int:
        """Continuity errors since the reset, up to the last payload."""
        self._examine()
        return self._examiner.continuity.errors_total

    def report(self, now: float) -> LiveReport:
        """Report what was found since the reset."""
        self._examine()
        now = max(now, self._last_at)
        if self._is_running and now - self._last_at > SILENCE_S:
            self._fall_silent(now)
        self._end_seconds(now)
        self._judge_measurability()
        content, detail = self._sync.content()
        found = self._examiner
        rates = found.pids.bitrates()
        total = None if rates is None else sum(rates.values())
        return LiveReport(
            at=now,
            since=self._since,
            content=content,
            content_detail=detail,
            is_in_sync=self._sync.is_locked and self._is_running,
            bitrate_bps=total,
            bitrate_without_nulls_bps=None if rates is None or total is None else total - rates.get(NULL_PID, 0),
            is_constant_bitrate=found.clocks.is_constant_bitrate(),
            packets_total=found.packets - found.packets_before,
            bytes_skipped_total=self._sync.bytes_skipped,
            odd_payloads_total=self._odd_payloads,
            rtp_gaps_total=self._sync.rtp_gaps_total,
            continuity_errors_total=found.continuity.errors_total,
            error_seconds=self._board.error_seconds,
            indicators=self._board.report(now),
            services=list_services(found.programmes),
            pids=list_pids(found.pids, found.programmes, rates or {}, now),
            pids_total=len(found.pids.by_pid),
            cues_total=found.tables.cues_total,
            last_cue=found.tables.last_cue,
        )

    def _resume(self, at: float) -> None:
        """Expect all tables, PIDs and times from now on."""
        self._end_seconds(at)
        self._is_running = True
        self._last_at = at
        self._board["ts_sync_loss"].end(_SILENT)
        self._examiner.restart(at)

    def _fall_silent(self, at: float) -> None:
        self._examine()
        self._board.suspend(but="ts_sync_loss")
        self._board["ts_sync_loss"].begin(_SILENT, at, f"no packets for more than {SILENCE_S:.0f} s")
        self._examiner.pids.interrupt()
        self._is_running = False

    def _end_seconds(self, at: float) -> None:
        seconds = int(at) - self._second
        if seconds <= 0:
            return
        self._second = int(at)
        self._board.tick(at, seconds)
        if self._is_running:
            self._examiner.end_seconds(seconds)

    def _examine(self) -> None:
        """Examine the payloads collected so far."""
        if not self._payloads:
            return
        data, self._payloads = b"".join(self._payloads), []
        clock = BatchClock(self._times, self._ends)
        self._times, self._ends, self._size = [], [], 0
        errors, was_locked = self._sync.sync_byte_errors, self._sync.is_locked
        for block in self._sync.take(data):
            if block is None:
                self._lose_step(clock.now)
            else:
                if not was_locked:
                    self._board["ts_sync_loss"].end(_OUT_OF_STEP)
                    self._examiner.restart(clock.now)
                self._examiner.examine(block, clock)
                clock.advance(len(block))
            was_locked = block is not None
        if wrong := self._sync.sync_byte_errors - errors:
            self._board["sync_byte_error"].hit(clock.last, "a packet does not begin with 0x47", times=wrong)
        if self._sync.is_locked:
            self._examiner.check(clock.last)
        elif self._sync.content()[0] is Content.FOREIGN:
            self._board["ts_sync_loss"].begin(_OUT_OF_STEP, clock.last, "no five packets in a row begin with 0x47")

    def _lose_step(self, at: float) -> None:
        self._board.suspend(but="ts_sync_loss")
        self._board["ts_sync_loss"].begin(_OUT_OF_STEP, at, "two packets in a row do not begin with 0x47")
        self._examiner.continuity.forget()

    def _judge_measurability(self) -> None:
        """Note why the accuracy of the clock is not measured, if it is not."""
        indicator, constant = self._board["pcr_accuracy_error"], self._examiner.clocks.is_constant_bitrate()
        indicator.state = IndicatorState.GOOD if constant else IndicatorState.UNMEASURED
        if constant:
            indicator.note = ""
        elif constant is None:
            indicator.note = "not measured yet: it needs one second without losses, and a clock"
        else:
            indicator.note = "not measurable: the bitrate is not constant"
