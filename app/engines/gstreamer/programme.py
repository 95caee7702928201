"""A generated television programme as a transport stream: colour bars, 1 kHz tone, running clock, service name.

It is the picture, sound and multiplex of both the live colour bars and the sample file; `live_marks` adds what only
live bars have. Caps are written as text, from our own numbers only: PyGObject without its GStreamer overrides has no
fractions.
"""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.constants import BARS_BITRATE_BPS, PCR_INTERVAL_MS_DVB, SDT_PID
from app.engines.gstreamer.gst import Gst, load_mpegts
from app.engines.gstreamer.live_marks import SOUND_STEP_MS, beep_each_second, flash_each_second, overlay_text
from app.engines.gstreamer.source import make
from app.mpegts.sdt import sdt_section

_PATTERN: Final = "smpte75"
SERVICE_ID: Final = 1  # mpegtsmux numbers its first programme 1
SERVICE_PROVIDER: Final = "MCR SRT Streamer"
TONE_HZ: Final = 1000
TONE_AMPLITUDE: Final = 10 ** (-18 / 20)  # EBU R 68: alignment level is 18 dB below full scale
SAMPLE_RATE_HZ: Final = 48_000
SAMPLES_PER_FRAME: Final = 1152  # ISO/IEC 11172-3, layer II
_AUDIO_KBPS: Final = 192
_VIDEO_SHARE: Final = 0.75  # share of the multiplex; sound, tables and headers easily fit in the rest
_VBV_MS: Final = 500
_GOP_S: Final = 0.96  # whole frames at 25 and 50 per second, and 40 audio frames
_PCR_INTERVAL_MS: Final = PCR_INTERVAL_MS_DVB // 2  # the multiplexer rounds up to its next packet
_TICKS_PER_MS: Final = 90
_TABLES_INTERVAL_MS: Final = 100
_SDT_INTERVAL_MS: Final = 500  # ETSI TS 101 211, 4.4.1 asks for 2 s at least
# How long encoding may take before the live multiplexer continues without the picture.
_ENCODER_SLACK_MS: Final = 100


class Programme(msgspec.Struct, frozen=True):
    """The parameters of the programme. With `duration_s` None it runs endlessly in real time, else as fast as possible.

    `name` is the operator's: any text. The service name is fixed and ASCII.
    """

    service_name: str
    width: int
    height: int
    frames_per_s: int
    is_interlaced: bool = False
    mux_bitrate_bps: int = BARS_BITRATE_BPS
    duration_s: float | None = None
    name: str = ""


def build_programme(programme: Programme) -> Gst.Bin:
    """Make a bin whose `src` pad has the transport stream at a constant multiplex rate, in bursts of a frame.

    It has H.264 with closed GOPs and MPEG-1 layer II. Raises CannotSend when an element is missing.
    """
    box = Gst.Bin.new("programme")
    mux = make(
        "mpegtsmux",
        bitrate=programme.mux_bitrate_bps,
        alignment=0,
        pcr_interval=_PCR_INTERVAL_MS * _TICKS_PER_MS,
        pat_interval=_TABLES_INTERVAL_MS * _TICKS_PER_MS,
        pmt_interval=_TABLES_INTERVAL_MS * _TICKS_PER_MS,
        si_interval=_SDT_INTERVAL_MS * _TICKS_PER_MS,
    )
    if programme.duration_s is None:
        mux.set_property("latency", _ENCODER_SLACK_MS * Gst.MSECOND)
    box.add(mux)
    for chain in (_picture(programme), _sound(programme)):
        for element in chain:
            box.add(element)
        for upper, lower in zip([*chain[:-1]], chain[1:], strict=True):
            upper.link(lower)
        chain[-1].link(mux)
    box.add_pad(Gst.GhostPad.new("src", mux.get_static_pad("src")))
    _name_service(mux, programme.service_name)
    return box


def _picture(programme: Programme) -> list[Gst.Element]:
    is_live = programme.duration_s is None
    frames = -1 if programme.duration_s is None else round(programme.duration_s * programme.frames_per_s)
    scanning = "interleaved,field-order=top-field-first" if programme.is_interlaced else "progressive"
    caps = Gst.Caps.from_string(
        f"video/x-raw,format=I420,colorimetry=bt709,width={programme.width},height={programme.height},"
        f"framerate={programme.frames_per_s}/1,interlace-mode={scanning}"
    )
    gop_frames = round(_GOP_S * programme.frames_per_s)
    encoder = make(
        "x264enc",
        bitrate=round(programme.mux_bitrate_bps * _VIDEO_SHARE / 1000),
        vbv_buf_capacity=_VBV_MS,
        key_int_max=gop_frames,
        interlaced=programme.is_interlaced,
        threads=1,
        option_string="scenecut=0:open-gop=0",
    )
    for name, value in (("pass", "cbr"), ("speed-preset", "ultrafast"), ("tune", "zerolatency")):
        Gst.util_set_object_arg(encoder, name, value)
    source = make("videotestsrc", is_live=is_live, num_buffers=frames)
    Gst.util_set_object_arg(source, "pattern", _PATTERN)
    marks = [flash_each_second(source, programme.frames_per_s, _PATTERN)] if is_live else []
    return [
        source,
        make("capsfilter", caps=caps),
        _clock(programme),
        *marks,
        encoder,
        make("h264parse"),
        make("queue"),
    ]


def _clock(programme: Programme) -> Gst.Element:
    """Make the overlay: name and time of day on live bars, or the time within the file, to the millisecond."""
    factory = "clockoverlay" if programme.duration_s is None else "timeoverlay"
    text = programme.service_name
    if programme.duration_s is None:
        text = f"{overlay_text(programme.name) or text}\n"  # the clock is below the name
    clock = make(factory, text=text, font_desc="Sans Bold 32", shaded_background=True)
    for name in ("halignment", "valignment"):
        Gst.util_set_object_arg(clock, name, "center")
    return clock


def _sound(programme: Programme) -> list[Gst.Element]:
    is_live = programme.duration_s is None
    frame_s = SAMPLES_PER_FRAME / SAMPLE_RATE_HZ
    frames = -1 if programme.duration_s is None else round(programme.duration_s / frame_s)
    caps = Gst.Caps.from_string(f"audio/x-raw,rate={SAMPLE_RATE_HZ},channels=2")
    source = make(
        "audiotestsrc",
        is_live=is_live,
        num_buffers=frames,
        samplesperbuffer=SAMPLE_RATE_HZ * SOUND_STEP_MS // 1000 if is_live else SAMPLES_PER_FRAME,
        freq=float(TONE_HZ),
        volume=TONE_AMPLITUDE,
    )
    if is_live:
        beep_each_second(source, float(TONE_HZ))
    return [
        source,
        make("capsfilter", caps=caps),
        make("twolamemp2enc", bitrate=_AUDIO_KBPS),
        make("mpegaudioparse"),
        make("queue"),
    ]


def _name_service(mux: Gst.Element, service_name: str) -> None:
    """Pass the SDT to the multiplexer, which then repeats it; by itself it sends none."""
    section = sdt_section(service_id=SERVICE_ID, provider=SERVICE_PROVIDER, name=service_name)
    load_mpegts().Section.new(SDT_PID, section).send_event(mux)
