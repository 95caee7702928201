"""Stops a stream that sends far more than its source contains, whatever the cause and the engine.

It reads counters only, so it does not depend on an engine's own timing. It accepts variable bitrate, and the backlog
after a pause of the machine.
"""

from __future__ import annotations

from typing import Final, assert_never

from app.domain.constants import BITRATE_BPS_ASSUMED
from app.domain.endings import Finished
from app.domain.figures.counters import growth
from app.domain.spec import BarsSource, FileSource, JobSpec, MulticastSource, ReceiveSpec, RelaySpec, SendSpec, Source
from app.domain.status import Reason

# A rate is too high above this multiple of the expected one, plus a margin for the bursts of slow streams.
FAR_ABOVE: Final = 4
MARGIN_BPS: Final = 20_000_000
# One high window may come from a short stall of the machine. A rate that stays too high for this long does not.
SUSTAINED_S: Final = 0.2
_WINDOW_S: Final = 0.1
# A delayed stream may send what has become due since: this many seconds of it, or all of a pause of the
# machine, which shows as one long window.
_CATCH_UP_S: Final = 5.0
_PAUSE_S: Final = 1.0


class _Flow:
    """One byte counter, judged in windows against its expected rate."""

    def __init__(self) -> None:
        self._at: float | None = None
        self._bytes_total = 0
        self._behind_bytes = 0.0
        self._over_since: float | None = None

    def follow(self, now: float, bytes_total: int, expected_bps: float) -> float | None:
        """Return the rate in bits a second if it has been far above the expected one for SUSTAINED_S, else None."""
        if self._at is None:
            self._at, self._bytes_total = now, bytes_total
            return None
        window_s = now - self._at
        if window_s < _WINDOW_S:
            return None
        new_bytes, expected_bytes = growth(self._bytes_total, bytes_total), expected_bps / 8 * window_s
        allowed_bytes = FAR_ABOVE * expected_bytes + MARGIN_BPS / 8 * window_s + self._behind_bytes
        behind_bytes = max(0.0, self._behind_bytes + expected_bytes - new_bytes)
        most_bytes = max(self._behind_bytes, expected_bps / 8 * _CATCH_UP_S)
        self._behind_bytes = behind_bytes if window_s > _PAUSE_S else min(behind_bytes, most_bytes)
        began_at, self._at, self._bytes_total = self._at, now, bytes_total
        if new_bytes <= allowed_bytes:
            self._over_since = None
        elif self._over_since is None:
            self._over_since = began_at
        elif now - self._over_since > SUSTAINED_S:
            return new_bytes * 8 / window_s
        return None


class RateGuard:
    """Follows one stream's counters; `check` raises Finished(RUNAWAY). Times are seconds on any steady clock."""

    def __init__(self, spec: JobSpec, declared_bps: int | None) -> None:
        """`declared_bps` is the rate of a file or of bars, None when it is not known."""
        # The far end decides how much a receiver or a relay passes on.
        self._is_sender = isinstance(spec, SendSpec)
        self._declared_bps = _expected_bps(spec, declared_bps)
        self._input = _Flow()
        self._output = _Flow()
        self._live_at: float | None = None
        self._live_bytes_total = 0

    @property
    def needs_input(self) -> bool:
        """Whether each check needs a fresh count of the input, because no rate is declared."""
        return self._is_sender and self._declared_bps is None

    def forget_declared(self) -> None:
        """From now on, expect the highest rate that is assumed anywhere, because the file has other contents."""
        if self._declared_bps is not None:
            self._declared_bps = BITRATE_BPS_ASSUMED

    def check(self, now: float, *, output_bytes_total: int, input_bytes_total: int | None) -> None:
        """Judge the bytes sent to the busiest receiver and the bytes read. Raises Finished.

        `input_bytes_total` may be None for a source that is not live, in a turn in which it was not read.
        """
        if not self._is_sender:
            return
        if self._declared_bps is None:
            self._check_against_input(now, output_bytes_total, input_bytes_total or 0)
            return
        expected_bps = self._declared_bps
        if input_bytes_total is not None:
            self._judge("input", self._input.follow(now, input_bytes_total, expected_bps), expected_bps)
        self._judge("output", self._output.follow(now, output_bytes_total, expected_bps), expected_bps)

    def _check_against_input(self, now: float, output_bytes_total: int, input_bytes_total: int) -> None:
        """Compare with the input in the same window: only that shows what a live source sends."""
        before_at, before_bytes = self._live_at, self._live_bytes_total
        if before_at is not None and now - before_at < _WINDOW_S:
            return
        self._live_at, self._live_bytes_total = now, input_bytes_total
        expected_bps = 0.0 if before_at is None else growth(before_bytes, input_bytes_total) * 8 / (now - before_at)
        self._judge("output", self._output.follow(now, output_bytes_total, expected_bps), expected_bps)

    @staticmethod
    def _judge(what: str, rate_bps: float | None, expected_bps: float) -> None:
        if rate_bps is not None:
            text = f"{what} of {rate_bps / 1e6:.0f} Mb/s where {expected_bps / 1e6:.1f} Mb/s are expected"
            raise Finished(Reason.RUNAWAY, text)


def _expected_bps(spec: JobSpec, declared_bps: int | None) -> int | None:
    """Return the expected rate, None if only the input shows it."""
    match spec:
        case SendSpec():
            return _expected_from(spec.source, declared_bps)
        case ReceiveSpec() | RelaySpec():
            return None
        case _:
            assert_never(spec)


def _expected_from(source: Source, declared_bps: int | None) -> int | None:
    match source:
        case FileSource() | BarsSource():
            return declared_bps or BITRATE_BPS_ASSUMED
        case MulticastSource():
            return None
        case _:
            assert_never(source)
