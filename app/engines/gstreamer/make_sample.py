"""Makes the sample file: `python -m app.engines.gstreamer.make_sample media/bars_and_tone.ts`.

Its 19.2 s are a whole number of pictures, GOPs and audio frames, so that the file loops without a click.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from app.domain.constants import NULL_PID, TS_PACKET_BYTES, TS_SYNC_BYTE
from app.domain.endings import CannotSend
from app.engines.gstreamer.gst import Gst
from app.engines.gstreamer.programme import Programme, build_programme
from app.engines.gstreamer.source import make

DURATION_S: Final = 19.2
SAMPLE: Final = Programme(service_name="Bars and tone", width=1280, height=720, frames_per_s=25, duration_s=DURATION_S)
_DEADLINE_S: Final = 300
_NULL_PACKET: Final = bytes((TS_SYNC_BYTE, NULL_PID >> 8, NULL_PID & 0xFF, 0x10)) + b"\xff" * (TS_PACKET_BYTES - 4)


def make_sample(target: Path) -> None:
    """Write the sample to `target`, which appears only when it is complete. Raises CannotSend or OSError."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    try:
        _play_into(unfinished)
        _fill_to_duration(unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _play_into(path: Path) -> None:
    pipeline = Gst.Pipeline.new("sample")
    source, sink = build_programme(SAMPLE), make("filesink", location=str(path))
    pipeline.add(source)
    pipeline.add(sink)
    source.link(sink)
    pipeline.set_state(Gst.State.PLAYING)
    try:
        ends = Gst.MessageType.EOS | Gst.MessageType.ERROR
        message = pipeline.get_bus().timed_pop_filtered(_DEADLINE_S * Gst.SECOND, ends)
        if message is None:
            raise OSError(f"making {path.name} took longer than {_DEADLINE_S} s")
        if message.type == Gst.MessageType.ERROR:
            error, debug = message.parse_error()
            raise OSError(f"making {path.name} failed: {error.message} ({debug})")
    finally:
        pipeline.set_state(Gst.State.NULL)


def _fill_to_duration(path: Path) -> None:
    """Add null packets after the last picture, so that size / rate is the duration of picture and sound."""
    packets = round(DURATION_S * SAMPLE.mux_bitrate_bps / 8 / TS_PACKET_BYTES)
    missing = packets - path.stat().st_size // TS_PACKET_BYTES
    with path.open("ab") as file:
        file.write(_NULL_PACKET * missing)


def main(arguments: list[str]) -> str | None:
    """Make the file that the command line names. Return the error, if any."""
    if len(arguments) != 1:
        return "usage: python -m app.engines.gstreamer.make_sample FILE.ts"
    try:
        make_sample(Path(arguments[0]))
    except (CannotSend, OSError) as error:
        return f"error: {error}"
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
