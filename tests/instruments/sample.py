"""A real transport stream to send: H.264 bars with a clock and AAC tone, exactly 8 Mb/s, made by GStreamer."""

from __future__ import annotations

import shlex
from pathlib import Path

from tests.instruments.child import Child

BITRATE_BPS = 8_000_000
SECONDS = 20

# pcr-interval is in ticks of 90 kHz: 20 ms.
_PIPELINE = """
gst-launch-1.0 -q mpegtsmux name=mux bitrate={bitrate_bps} pcr-interval=1800 ! filesink location={path}
  videotestsrc num-buffers={ticks} pattern={pattern} ! video/x-raw,format=I420,width=640,height=360,framerate=25/1 !
    timeoverlay ! x264enc speed-preset=ultrafast tune=zerolatency bitrate={video_kbps} key-int-max=25 ! h264parse ! mux.
  audiotestsrc num-buffers={ticks} samplesperbuffer=1920 volume=0.1 ! audioconvert !
    audio/x-raw,rate=48000,channels=2 ! voaacenc bitrate=128000 ! aacparse ! mux.
"""


def make_sample(path: Path, *, seconds: int = SECONDS, bitrate_bps: int = BITRATE_BPS, is_full: bool = False) -> Path:
    """Write a constant-bitrate stream with a PCR every 20 ms to `path`, and return the path.

    With `is_full`, the stream has few null packets, for comparisons with programs that remove them, such as ffmpeg.
    """
    video_kbps = min(3000, bitrate_bps * 6 // 10_000)  # with more input than its rate, the mux is no longer constant
    if is_full:
        video_kbps = bitrate_bps * 93 // 100_000 - 300
    argv = shlex.split(
        _PIPELINE.format(
            bitrate_bps=bitrate_bps,
            video_kbps=video_kbps,
            pattern="snow" if is_full else "smpte",
            path=shlex.quote(str(path)),
            ticks=seconds * 25,
        )
    )
    with Child(argv) as making:
        if making.wait(deadline_s=120):
            raise AssertionError(f"no sample: {making.complaints()}")
    return path
