"""Reads details of a file that its packets do not show (resolution, frame rate, channels), with ffprobe or mediainfo.

A disguised playlist would send the tools to other files. The tools therefore only get files that are transport streams,
and ffprobe may open no other file.
"""

from __future__ import annotations

import json
import os
from typing import Any, Final

import msgspec

from app.mpegts.framing import find_framing
from app.probes.run import CancelSwitch, ProbeFailed, ProgramMissing, run

TOOLS: Final = ("ffprobe", "mediainfo")
_TIMEOUT_S: Final = 20.0
_MEMORY_BYTES: Final = 2 * 1024**3
_STREAMS_MAX: Final = 200
_HEAD_BYTES: Final = 4096
_PATH_OF_FILE: Final = "/proc/self/fd/{}"  # time limit in the tool itself
_FRAMES_PER_S_MAX: Final = 1000


class StreamDetails(msgspec.Struct, frozen=True):
    """One elementary stream as a tool reports it; None and the empty text mean that the tool reports nothing.

    `kind` is video, audio, subtitle or data; `scan` is progressive or interlaced; `aspect` is such as 16:9.
    """

    pid: int | None
    kind: str
    codec: str
    profile: str = ""
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    scan: str = ""
    aspect: str = ""
    pixel_format: str = ""
    sample_rate_hz: int | None = None
    channels: int | None = None
    channel_layout: str = ""
    bitrate_bps: int | None = None
    language: str = ""


class MediaDetails(msgspec.Struct, frozen=True):
    """The streams of a file, and the tool that reported them."""

    tool: str
    streams: tuple[StreamDetails, ...]


def read_details(file: int, cancel: CancelSwitch | None = None) -> MediaDetails:
    """Read an open file with ffprobe, or with mediainfo if ffprobe is missing or fails. Raises ProbeFailed.

    The tools get the descriptor and no path, so that a folder that becomes a link cannot lead them elsewhere.
    """
    if not _is_transport_stream(file):
        raise ProbeFailed("ffprobe", "this is not an MPEG transport stream")
    try:
        return _ask_ffprobe(file, cancel)
    except ProbeFailed as first:
        try:
            return _ask_mediainfo(file, cancel)
        except ProgramMissing:
            if isinstance(first, ProgramMissing):
                raise ProgramMissing("ffprobe", "neither ffprobe nor mediainfo is installed") from None
            raise first from None


def _is_transport_stream(file: int) -> bool:
    try:
        return find_framing(os.pread(file, _HEAD_BYTES, 0)) is not None
    except OSError as error:
        raise ProbeFailed("ffprobe", f"the file cannot be read: {error.strerror}") from None


def _ask_ffprobe(file: int, cancel: CancelSwitch | None) -> MediaDetails:
    limits = ("-probesize", "20M", "-analyzeduration", "10M")
    where = ("-f", "mpegts", "-protocol_whitelist", "file", *limits, "-i", f"file:{_PATH_OF_FILE.format(file)}")
    document = _ask(file, cancel, "ffprobe", "-v", "error", "-show_streams", "-of", "json", *where)
    streams = _dicts(document.get("streams"))
    return MediaDetails("ffprobe", tuple(_from_ffprobe(stream) for stream in streams))


def _ask_mediainfo(file: int, cancel: CancelSwitch | None) -> MediaDetails:
    document = _ask(file, cancel, "mediainfo", "--Output=JSON", _PATH_OF_FILE.format(file))
    media = document.get("media")
    tracks = _dicts(media.get("track") if isinstance(media, dict) else None)
    kinds = {"Video": "video", "Audio": "audio", "Text": "subtitle", "Other": "data"}
    return MediaDetails(
        "mediainfo", tuple(_from_mediainfo(t, kinds[t["@type"]]) for t in tracks if t.get("@type") in kinds)
    )


def _ask(file: int, cancel: CancelSwitch | None, *argv: str) -> dict[str, Any]:
    outcome = run(argv, timeout_s=_TIMEOUT_S, memory_bytes_max=_MEMORY_BYTES, cancel=cancel, files=(file,))
    try:
        document = json.loads(outcome.text())
    except ValueError:
        document = None
    if outcome.returncode != 0 or not isinstance(document, dict):
        raise ProbeFailed(argv[0], f"{argv[0]} found nothing: {outcome.complaint() or 'no output that can be read'}")
    return document


def _from_ffprobe(stream: dict[str, Any]) -> StreamDetails:
    order = _text(stream, "field_order")
    tags = stream.get("tags")
    return StreamDetails(
        pid=_number(_text(stream, "id"), 16),
        kind=_text(stream, "codec_type") or "data",
        codec=_text(stream, "codec_long_name") or _text(stream, "codec_name") or "unknown",
        profile=_text(stream, "profile"),
        width=_quantity(stream.get("width")),
        height=_quantity(stream.get("height")),
        frame_rate=_ratio(_text(stream, "avg_frame_rate")) or _ratio(_text(stream, "r_frame_rate")),
        scan={"progressive": "progressive", "": "", "unknown": ""}.get(order, "interlaced"),
        aspect=_text(stream, "display_aspect_ratio"),
        pixel_format=_text(stream, "pix_fmt"),
        sample_rate_hz=_quantity(stream.get("sample_rate")),
        channels=_quantity(stream.get("channels")),
        channel_layout=_text(stream, "channel_layout"),
        bitrate_bps=_quantity(stream.get("bit_rate")),
        language=_text(tags, "language") if isinstance(tags, dict) else "",
    )


def _from_mediainfo(track: dict[str, Any], kind: str) -> StreamDetails:
    chroma, depth = _text(track, "ChromaSubsampling"), _text(track, "BitDepth")
    return StreamDetails(
        pid=_number(_text(track, "ID").partition("-")[0]),
        kind=kind,
        codec=_text(track, "Format") or "unknown",
        profile=_text(track, "Format_Profile"),
        width=_quantity(track.get("Width")),
        height=_quantity(track.get("Height")),
        frame_rate=_decimal(_text(track, "FrameRate")) if kind == "video" else None,
        scan={"Progressive": "progressive", "": ""}.get(_text(track, "ScanType"), "interlaced"),
        aspect=_text(track, "DisplayAspectRatio"),
        pixel_format=f"{chroma} {depth} bit" if chroma and depth else chroma,
        sample_rate_hz=_quantity(track.get("SamplingRate")),
        channels=_quantity(track.get("Channels")),
        channel_layout=_text(track, "ChannelLayout"),
        bitrate_bps=_quantity(track.get("BitRate")) or _quantity(track.get("BitRate_Nominal")),
        language=_text(track, "Language"),
    )


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)][:_STREAMS_MAX] if isinstance(value, list) else []


def _text(values: dict[str, Any], name: str) -> str:
    """Return a printable text of bounded length, because it comes from the file and is shown on a page."""
    return "".join(character for character in str(values.get(name, ""))[:200] if character.isprintable())


def _number(value: object, base: int = 10) -> int | None:
    text = str(value).removeprefix("0x")
    try:
        return int(text, base)
    except ValueError:
        return None


def _quantity(value: object) -> int | None:
    """Return a number above 0: for a stream without payload the tools print 0."""
    return _number(value) or None


def _decimal(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return _frame_rate(value)


def _frame_rate(value: float) -> float | None:
    """Return a plausible frame rate: for a stream without pictures, ffprobe prints the 90 kHz of its clock."""
    return value if 0 < value < _FRAMES_PER_S_MAX else None


def _ratio(text: str) -> float | None:
    above, _, below = text.partition("/")
    numerator, denominator = _number(above), _number(below or "1")
    if not numerator or not denominator:
        return None
    return _frame_rate(round(numerator / denominator, 3))
