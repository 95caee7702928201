"""Small generated transport streams whose picture and sound are known."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

# EBU Tech 3341, test signal 1: a stereo tone of 1 kHz at -23 dBFS is -23 LUFS.
TONE = "sine=frequency=1000:sample_rate=48000:duration={s},volume={v},pan=stereo|c0=c0|c1=c0"
TONE_AT_MINUS_23 = 8 * 10 ** (-23 / 20)  # ffmpeg's sine has a peak of 1/8


class Taker(Protocol):
    """An object that takes payloads."""

    def take(self, payloads: Sequence[bytes]) -> None:
        """Take them."""


def make_stream(path: Path, *, picture: str | None = None, sound: str | None = None) -> bytes:
    """Make a transport stream of lavfi sources: a key frame each second, sound as MPEG-1 layer II."""
    argv = ["ffmpeg", "-v", "error", "-y"]
    for source in (picture, sound):
        argv += ["-f", "lavfi", "-i", source] if source else []
    if picture:
        argv += ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-b:v", "400k", "-pix_fmt", "yuv420p"]
    argv += ["-c:a", "mp2", "-b:a", "384k"] if sound else []
    subprocess.run([*argv, "-f", "mpegts", str(path)], check=True, timeout=60)
    return path.read_bytes()


def pictures(*kinds: tuple[str, int]) -> str:
    """Return a filter graph of lavfi sources; each has its duration in seconds."""
    sources = [
        f"{kind}{':' if '=' in kind else '='}size=320x180:rate=25:duration={seconds}[v{i}]"
        for i, (kind, seconds) in enumerate(kinds)
    ]
    return ";".join([*sources, "".join(f"[v{i}]" for i in range(len(kinds))) + f"concat=n={len(kinds)}"])


def feed(taker: Taker, data: bytes) -> None:
    """Hand a stream over at some 10 MB/s."""
    for at in range(0, len(data), 1316 * 50):
        taker.take([data[at : at + 1316 * 50]])
        time.sleep(0.006)
