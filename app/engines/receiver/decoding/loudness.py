"""Measures the loudness of a received stream by EBU R 128, and detects silence."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Final

from app.domain.events import NoticeCode
from app.domain.figures.watching import LoudnessReport
from app.engines.receiver.decoding.decoder import INPUT, Decoder
from app.engines.receiver.decoding.spell import THRESHOLD_S, Spell
from app.machine.steady_clock import unix_now
from app.protocol import Notify

SILENCE_DBFS: Final = -60
ABSOLUTE_GATE_LUFS: Final = -70.0  # ITU-R BS.1770 gate: shown while nothing was louder
_NOTHING_DB: Final = 120.0
ARGV: Final = (
    *INPUT,
    *("-i", "pipe:0", "-map", "0:a:0", "-vn", "-sn", "-dn"),
    *("-af", f"silencedetect=n={SILENCE_DBFS}dB:d={THRESHOLD_S:g},ebur128=peak=true:framelog=info", "-f", "null", "-"),
)
_FIGURES: Final = re.compile(
    r"M:\s*(\S+) S:\s*(\S+)\s+I:\s*(\S+) LUFS\s+LRA:\s*(\S+) LU.*?\bTPK:((?:\s+(?:-?[\d.]+|-inf|nan))+) dBFS"
)


class LoudnessWatch:
    """Measures loudness. The receiver's thread calls `take`; call `stop` once."""

    def __init__(self, notify: Notify) -> None:
        self._lock = threading.Lock()
        self._silent = Spell(
            NoticeCode.SOUND_SILENT, "The sound has been silent", "The sound is no longer silent", notify
        )
        self._found = LoudnessReport()
        self._decoder = Decoder(ARGV, "Audio", self)

    def take(self, payloads: Sequence[bytes]) -> None:
        """Pass payloads to the decoder. Never blocks."""
        self._decoder.take(payloads)

    def report(self) -> LoudnessReport:
        """Return the measurements since the reset."""
        with self._lock:
            found = self._found
            return LoudnessReport(
                decoder=self._decoder.report(),
                pid=self._decoder.pid_decoded,
                since=found.since,
                momentary_lufs=found.momentary_lufs,
                short_term_lufs=found.short_term_lufs,
                integrated_lufs=found.integrated_lufs,
                range_lu=found.range_lu,
                true_peak_dbtp=found.true_peak_dbtp,
                silent=self._silent.report(),
            )

    def reset(self, at: float) -> None:
        """Count from zero and start a new integration with a new decoder."""
        with self._lock:
            self._silent.reset(at)
        self._decoder.again()

    def stop(self) -> None:
        """End the decoder."""
        self._decoder.stop()

    def begin(self) -> None:
        """Begin with a new decoder, whose integration starts now."""
        with self._lock:
            self._found = LoudnessReport()

    def end(self) -> None:
        """End the present silence: it cannot be followed without a decoder."""
        with self._lock:
            self._silent.end(unix_now())

    def see(self, data: bytes) -> None:
        """Ignore output: this decoder has none."""

    def hear(self, line: str) -> None:
        """Take a line of ffmpeg's messages. They have figures ten times a second, and the begin and end of silences."""
        with self._lock:
            if figures := _FIGURES.search(line):
                self._take_figures(*figures.groups())
            elif "silence_start" in line:
                self._silent.begin(unix_now(), lasted_s=THRESHOLD_S)
            elif "silence_end" in line:
                self._silent.end(unix_now())

    def _take_figures(self, momentary: str, short_term: str, integrated: str, span: str, peaks: str) -> None:
        whole = _number(integrated)
        heard = [peak for peak in map(_number, peaks.split()) if peak is not None]
        self._found = LoudnessReport(
            since=self._found.since or unix_now(),
            momentary_lufs=_number(momentary),
            short_term_lufs=_number(short_term),
            integrated_lufs=None if whole is None or whole <= ABSOLUTE_GATE_LUFS else whole,
            range_lu=_number(span),
            true_peak_dbtp=max(heard, default=None),
        )


def _number(text: str) -> float | None:
    """Read a figure in decibels; None for `-inf`, `nan`, or ffmpeg's -120.7 before its window is full."""
    try:
        value = float(text)
    except ValueError:
        return None
    return round(value, 1) if abs(value) < _NOTHING_DB else None
