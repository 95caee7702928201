"""Watches the picture of a received stream: decodes key frames, keeps a JPEG every 5 s, detects black and frozen."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Final

from app.domain.events import NoticeCode
from app.domain.figures.watching import PICTURE_BYTES_MAX, PictureReport
from app.engines.receiver.decoding.decoder import INPUT, Decoder
from app.engines.receiver.decoding.spell import THRESHOLD_S, Spell
from app.machine.steady_clock import unix_now
from app.protocol import Notify, Picture

# Black: 98 % of the pixels are darker than 10 % of the range of video levels, as ffmpeg's blackdetect defines it.
_BLACK_PERCENT: Final = 98
_BLACK_LEVEL: Final = 38
# Frozen: the mean difference from the first picture stays below 0.1 % of full scale.
_FILTERS: Final = ",".join(
    (
        "scale=480:-2:flags=fast_bilinear",
        f"blackframe=amount=0:threshold={_BLACK_LEVEL}",
        f"freezedetect=n=0.001:d={THRESHOLD_S:g}",
        r"select=isnan(prev_selected_t)+gte(abs(t-prev_selected_t)\,4.9)",
        "format=yuvj420p",
    )
)
ARGV: Final = (
    *INPUT,
    *("-skip_frame", "nokey", "-i", "pipe:0", "-map", "0:v:0", "-an", "-sn", "-dn", "-vf", _FILTERS),
    *("-fps_mode", "passthrough", "-c:v", "mjpeg", "-q:v", "5", "-f", "image2pipe", "-flush_packets", "1", "pipe:1"),
)
_FRAME: Final = re.compile(r"pblack:(\d+) pts:\S+ t:(-?[\d.]+)")
_BEGIN, _END = b"\xff\xd8\xff", b"\xff\xd9"


class PictureWatch:
    """Watches the picture. The receiver's thread calls `take`; call `stop` once."""

    def __init__(self, notify: Notify) -> None:
        self._lock = threading.Lock()
        self._black = Spell(
            NoticeCode.PICTURE_BLACK, "The picture has been black", "The picture is no longer black", notify
        )
        self._frozen = Spell(NoticeCode.PICTURE_FROZEN, "The picture has not moved", "The picture moves again", notify)
        self._black_from: float | None = None
        self._frame_t = 0.0
        self._jpeg = bytearray()
        self._newest: Picture | None = None
        self._decoder = Decoder(ARGV, "Video", self)

    def take(self, payloads: Sequence[bytes]) -> None:
        """Pass payloads to the decoder. Never blocks."""
        self._decoder.take(payloads)

    def newest(self) -> Picture | None:
        """Return the newest picture."""
        with self._lock:
            return self._newest

    def report(self) -> PictureReport:
        """Return the findings since the reset."""
        with self._lock:
            return PictureReport(
                decoder=self._decoder.report(),
                pid=self._decoder.pid_decoded,
                taken_at=self._newest.at if self._newest else None,
                black=self._black.report(),
                frozen=self._frozen.report(),
            )

    def reset(self, at: float) -> None:
        """Count from zero."""
        with self._lock:
            self._black.reset(at)
            self._frozen.reset(at)

    def stop(self) -> None:
        """End the decoder."""
        self._decoder.stop()

    def begin(self) -> None:
        """Begin with a new decoder, whose times start again."""
        self._black_from = None
        self._jpeg.clear()

    def end(self) -> None:
        """End the present spells: they cannot be followed without a decoder."""
        with self._lock:
            self._black.end(unix_now())
            self._frozen.end(unix_now())

    def hear(self, line: str) -> None:
        """Take a line of ffmpeg's messages.

        They have each key frame's share of black, and the begin and end of freezes.
        """
        with self._lock:
            if frame := _FRAME.search(line):
                self._take_frame(int(frame[1]) >= _BLACK_PERCENT, float(frame[2]))
            elif (
                "freezedetect.freeze_start" in line and self._black_from is None
            ):  # a black picture does not move either, so it is not counted as frozen
                self._frozen.begin(unix_now(), lasted_s=THRESHOLD_S)
            elif "freezedetect.freeze_end" in line:
                self._frozen.end(unix_now())

    def _take_frame(self, is_black: bool, t: float) -> None:
        if not is_black or t < self._frame_t:
            self._black_from = None
        self._frame_t = t
        if not is_black:
            self._black.end(unix_now())
            return
        self._black_from = t if self._black_from is None else self._black_from
        if t - self._black_from >= THRESHOLD_S:
            self._black.begin(unix_now(), lasted_s=t - self._black_from)

    def see(self, data: bytes) -> None:
        """Take a part of the JPEG pictures, which follow one another."""
        self._jpeg += data
        while (end := self._jpeg.find(_END)) >= 0:
            whole = bytes(self._jpeg[: end + len(_END)])
            del self._jpeg[: end + len(_END)]
            if whole.startswith(_BEGIN) and len(whole) <= PICTURE_BYTES_MAX:
                with self._lock:
                    self._newest = Picture(unix_now(), whole)
        if len(self._jpeg) > PICTURE_BYTES_MAX:
            del self._jpeg[:-1]
