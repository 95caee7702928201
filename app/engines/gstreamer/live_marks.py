"""The marks of live colour bars: the stream's name, a frame count, and a flash and a beep each second.

They show that picture and sound are neither frozen nor recorded. Flash and beep start together at each whole second of
the stream's time, so that a receiver can compare picture and sound. A pad probe prepares the next buffer, in the thread
that makes it.
"""

from __future__ import annotations

import html
from typing import Final

from app.engines.gstreamer.gst import Gst
from app.engines.gstreamer.source import make

FLASH_MS: Final = (
    60  # whole frames at 50 per second; 1 flash/s is far below the 3 flashes/s of Recommendation ITU-R BT.1702
)
BEEP_HZ: Final = 2000  # an octave above the line-up tone and equally loud, so that level meters do not move
BEEP_MS: Final = 100  # whole periods of tone and beep, so that neither change clicks
SOUND_STEP_MS: Final = 10  # a whole number of steps makes a second
_LONGEST_NAME: Final = 40  # characters; fit into two lines


def overlay_text(name: str) -> str:
    """Return the name as text for an overlay, which reads Pango markup: one short line of printable characters."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
    return html.escape(line if len(line) <= _LONGEST_NAME else f"{line[: _LONGEST_NAME - 1]}…", quote=False)


def flash_each_second(picture: Gst.Element, frames_per_s: int, pattern: str) -> Gst.Element:
    """Make a videotestsrc white at each second; return the overlay that shows the frame count."""
    # Drawn for each frame: outline and shadow would cost three times as much.
    count = make(
        "textoverlay", font_desc="Monospace Bold 16", shaded_background=True, draw_outline=False, draw_shadow=False
    )
    Gst.util_set_object_arg(count, "valignment", "bottom")
    Gst.util_set_object_arg(picture, "pattern", "white")

    is_white = True

    def mark(pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        nonlocal is_white
        frame = round(info.get_buffer().pts * frames_per_s / Gst.SECOND)
        count.set_property("text", f"Frame {frame:08d}")
        is_due = (frame + 1) % frames_per_s * 1000 < FLASH_MS * frames_per_s
        if is_due != is_white:
            Gst.util_set_object_arg(pad.get_parent_element(), "pattern", "white" if is_due else pattern)
            is_white = is_due
        return Gst.PadProbeReturn.OK

    picture.get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, mark)
    return count


def beep_each_second(sound: Gst.Element, tone_hz: float) -> None:
    """Raise the pitch of an audiotestsrc, whose buffers last SOUND_STEP_MS, at each second."""
    sound.set_property("freq", float(BEEP_HZ))
    is_beep = True

    def mark(pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        nonlocal is_beep
        is_due = (round(info.get_buffer().pts / Gst.MSECOND) + SOUND_STEP_MS) % 1000 < BEEP_MS
        if is_due != is_beep:
            pad.get_parent_element().set_property("freq", float(BEEP_HZ) if is_due else tone_hz)
            is_beep = is_due
        return Gst.PadProbeReturn.OK

    sound.get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, mark)
