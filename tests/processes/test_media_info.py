"""What ffprobe and mediainfo say of a file, and what happens when they are missing or misled."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from app.probes.media_info import MediaDetails, read_details
from app.probes.run import Cancelled, CancelSwitch, ProbeFailed, ProgramMissing, TimedOut

TS_BYTES = 188
VIDEO_PID, AUDIO_PID = 256, 257


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("media") / "bars 'x'.ts"
    picture = ("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25")
    tone = ("-f", "lavfi", "-i", "sine=frequency=1000:sample_rate=48000")
    coding = ("-t", "2", "-c:v", "libx264", "-preset", "ultrafast", "-x264-params", "force-cfr=1")
    sound = ("-c:a", "mp2", "-ac", "2", "-b:a", "128k")
    argv = ("ffmpeg", "-v", "error", *picture, *tone, *coding, *sound, "-f", "mpegts", str(path))
    subprocess.run(argv, check=True, timeout=60)
    return path


def details_of(path: Path, cancel: CancelSwitch | None = None) -> MediaDetails:
    """Return the details that the tools report for the file at a path."""
    with path.open("rb") as file:
        return read_details(file.fileno(), cancel)


def without_payload(data: bytes, pids: set[int]) -> bytes:
    """Return the same packets, those of `pids` with an empty adaptation field in place of their payload."""
    changed = bytearray(data)
    for at in range(0, len(changed), TS_BYTES):
        if (changed[at + 1] & 0x1F) << 8 | changed[at + 2] in pids:
            changed[at + 3] = changed[at + 3] & 0x0F | 0x20
            changed[at + 4 : at + TS_BYTES] = bytes([TS_BYTES - 5, 0]) + b"\xff" * (TS_BYTES - 6)
    return bytes(changed)


def only(monkeypatch: pytest.MonkeyPatch, folder: Path, **programs: str) -> None:
    """Leave no programs on the path but these shell scripts and links."""
    folder.mkdir(exist_ok=True)
    for name, text in programs.items():
        if text.startswith("/"):
            (folder / name).symlink_to(text)
        else:
            (folder / name).write_text(f"#!/bin/sh\n{text}\n")
            (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@pytest.mark.parametrize("tool", ["ffprobe", "mediainfo"])
def test_both_tools_tell_the_same_of_a_file(
    tool: str, sample: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    only(monkeypatch, tmp_path / "bin", **{tool: f"/usr/bin/{tool}"})
    details = details_of(sample)
    video, audio = details.streams
    assert details.tool == tool
    assert (video.pid, video.kind, video.width, video.height) == (256, "video", 640, 360)
    assert (video.frame_rate, video.scan) == (25.0, "progressive")
    assert (audio.pid, audio.kind, audio.sample_rate_hz, audio.channels) == (257, "audio", 48_000, 2)
    assert audio.bitrate_bps == 128_000


@pytest.mark.parametrize("tool", ["ffprobe", "mediainfo"])
def test_a_stream_without_payload_has_no_picture_size_frame_rate_or_sound(
    tool: str, sample: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hollow = tmp_path / "hollow.ts"
    hollow.write_bytes(without_payload(sample.read_bytes(), {VIDEO_PID, AUDIO_PID}))
    only(monkeypatch, tmp_path / "bin", **{tool: f"/usr/bin/{tool}"})
    streams = {stream.pid: stream for stream in details_of(hollow).streams}
    for pid in (VIDEO_PID, AUDIO_PID):
        found = streams[pid]
        assert (found.width, found.height, found.frame_rate) == (None, None, None)
        assert (found.sample_rate_hz, found.channels, found.bitrate_bps) == (None, None, None)


def test_without_any_tool_both_are_named(sample: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only(monkeypatch, tmp_path / "bin")
    with pytest.raises(ProgramMissing, match="neither ffprobe nor mediainfo"):
        details_of(sample)


@pytest.mark.parametrize(
    "output", ["echo nonsense", "echo '[1, 2]'", "exit 1", "kill -9 $$", "echo '{\"streams\": 3}'"]
)
def test_a_tool_that_fails_leaves_the_question_to_the_other(
    output: str, sample: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    only(monkeypatch, tmp_path / "bin", ffprobe=output, mediainfo="/usr/bin/mediainfo")
    details = details_of(sample)
    assert details.tool == ("mediainfo" if "streams" not in output else "ffprobe")


def test_what_a_failing_tool_complained_of_is_passed_on(
    sample: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    only(monkeypatch, tmp_path / "bin", ffprobe="echo 'moov atom not found' >&2; exit 1")
    with pytest.raises(ProbeFailed, match="moov atom"):
        details_of(sample)


@pytest.mark.parametrize("kind", ["hls", "concat", "mp4"])
def test_a_file_in_disguise_is_shown_to_no_tool(
    kind: str, sample: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    only(monkeypatch, tmp_path / "bin", ffprobe=f": > {asked}", mediainfo=f": > {asked}")
    bait = tmp_path / "bait.ts"
    heads = {"hls": "#EXTM3U\n#EXTINF:2,\n", "concat": "ffconcat version 1.0\nfile ", "mp4": "\0\0\0\x18ftypisom"}
    bait.write_text(f"{heads[kind]}file://{sample}\n" * 100)
    with pytest.raises(ProbeFailed, match="not an MPEG transport stream"):
        details_of(bait)
    assert not asked.exists()


def test_a_file_name_is_never_taken_for_an_option(sample: Path, tmp_path: Path) -> None:
    odd = tmp_path / "-i concat:x|y.ts"
    odd.write_bytes(sample.read_bytes())
    assert len(details_of(odd).streams) == 2


def test_texts_of_a_file_are_bounded_and_printable(
    sample: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = 'printf \'{"streams":[{"id":"0x100","codec_type":"video","codec_name":"a\\\\u001b[31m%0900d"}]}\' 1'
    only(monkeypatch, tmp_path / "bin", ffprobe=script)
    (stream,) = details_of(sample).streams
    assert stream.codec.isprintable()
    assert len(stream.codec) <= 200


def test_a_tool_that_hangs_is_ended_when_nobody_waits_any_more(
    sample: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    only(monkeypatch, tmp_path / "bin", ffprobe="exec /bin/sleep 60", mediainfo="exec /bin/sleep 60")
    monkeypatch.setattr("app.probes.media_info._TIMEOUT_S", 0.2)
    with pytest.raises(TimedOut):
        details_of(sample)
    switch = CancelSwitch()
    switch.throw()
    with pytest.raises(Cancelled):
        details_of(sample, switch)


def test_nothing_secret_reaches_a_tool(sample: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(os.environ, "SECRET_KEY", "do-not-show")
    only(monkeypatch, tmp_path / "bin", ffprobe='echo "{\\"streams\\": [{\\"codec_name\\": \\"$SECRET_KEY\\"}]}"')
    (stream,) = details_of(sample).streams
    assert stream.codec == "unknown"
