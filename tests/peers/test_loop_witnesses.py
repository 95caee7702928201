"""Loops of files made by real encoders, judged by other people's programs: ffmpeg decodes, tshark dissects."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from app.sources.looping_file import LoopingReader
from tests.instruments.ts_reader import read_ts

LAPS = 20
PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25")
TONE = ("-f", "lavfi", "-i", "sine=frequency=1000:sample_rate=48000")
# Closed groups, so that the first pictures of a lap need none of the lap before.
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-x264-params", "open-gop=0:nal-hrd=cbr")
RATE = ("-b:v", "600k", "-maxrate", "600k", "-bufsize", "300k")
ENCODINGS: dict[str, tuple[str, ...]] = {
    "constant bitrate": (*X264, *RATE, "-bf", "2", "-c:a", "aac", "-muxrate", "1200000"),
    "variable bitrate": (*X264, *RATE, "-bf", "2", "-c:a", "mp2"),
    "two programmes": (
        *("-map", "0:v", "-map", "1:a", "-map", "0:v", "-map", "1:a", *X264, *RATE, "-c:a", "mp2"),
        *("-program", "title=One:st=0:st=1", "-program", "title=Two:st=2:st=3", "-muxrate", "2500000"),
    ),
}


def run(*argv: str) -> tuple[str, str]:
    """Return the standard output and standard error of a program."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout, done.stderr


@pytest.fixture(scope="module", params=ENCODINGS.keys())
def looped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A file of 10 s and a recording of its loop."""
    folder = tmp_path_factory.mktemp("loop")
    once, many = folder / "once.ts", folder / "many.ts"
    encoding = ENCODINGS[request.param]
    run("ffmpeg", "-v", "error", *PICTURE, *TONE, "-t", "10", *encoding, "-f", "mpegts", str(once))
    reader = LoopingReader(str(once))
    with many.open("wb") as file:
        while (block := reader.read()) is not None and reader.laps < LAPS:
            file.write(block)
    reader.close()
    return once, many


def test_ffmpeg_decodes_every_lap_without_an_error(looped: tuple[Path, Path]) -> None:
    once, many = looped
    streams = ("-map", "0:v", "-map", "0:a", "-f", "null", "-")
    for path in (once, many):
        assert (
            run("ffmpeg", "-v", "warning", "-xerror", "-err_detect", "explode", "-i", f"file:{path}", *streams)[1] == ""
        )
    frames = _frames(many)
    assert frames == [LAPS * count for count in _frames(once)]


def _frames(path: Path) -> list[int]:
    said, _ = run("ffprobe", "-v", "error", "-count_packets", "-show_streams", "-of", "json", "-i", f"file:{path}")
    streams = json.loads(said)["streams"]
    return [int(stream["nb_read_packets"]) for stream in streams if stream["codec_type"] == "video"]


def test_times_run_on_for_every_stream_as_ffprobe_reads_them(looped: tuple[Path, Path]) -> None:
    times = _decoding_times(looped[1])
    assert times
    assert all(after > before for stamps in times.values() for before, after in pairwise(stamps))


def _decoding_times(path: Path) -> dict[int, list[int]]:
    said, _ = run("ffprobe", "-v", "error", "-show_entries", "packet=stream_index,dts", "-of", "json", f"file:{path}")
    times: dict[int, list[int]] = {}
    for packet in json.loads(said)["packets"]:
        times.setdefault(packet["stream_index"], []).append(packet["dts"])
    return times


def test_the_clock_steps_over_a_seam_no_further_than_inside_the_file(looped: tuple[Path, Path]) -> None:
    once, many = (read_ts(path.read_bytes()) for path in looped)
    assert (many.continuity_errors(), many.section_errors()) == (0, 0)
    for pid, seen in once.pids.items():
        if seen.pcrs:
            assert min(many.pids[pid].pcr_steps_ms()) > 0
            assert max(many.pids[pid].pcr_steps_ms()) <= max(seen.pcr_steps_ms()) + 1


def test_tshark_sees_no_continuity_error(looped: tuple[Path, Path], tmp_path: Path) -> None:
    packets, errors = _tshark(looped[1].read_bytes(), tmp_path)
    assert packets == looped[1].stat().st_size // 188
    assert errors == 0


def test_the_witnesses_do_see_the_seam_of_a_plain_loop(looped: tuple[Path, Path], tmp_path: Path) -> None:
    plain = looped[0].read_bytes() * 2
    assert _tshark(plain, tmp_path)[1] > 0
    assert read_ts(plain).continuity_errors() > 0
    (tmp_path / "plain.ts").write_bytes(plain)
    stamps = _decoding_times(tmp_path / "plain.ts")
    assert any(after <= before for times in stamps.values() for before, after in pairwise(times))


def _tshark(stream: bytes, folder: Path) -> tuple[int, int]:
    """The transport packets that tshark dissects in a stream, and those at which it says that some are missing."""
    capture = folder / "loop.pcap"
    capture.write_bytes(_as_udp_capture(stream))
    fields = ("-T", "fields", "-e", "mp2t.cc.drop", "-e", "mp2t.cc")
    rows = run("tshark", "-r", str(capture), "-d", "udp.port==1234,mp2t", *fields)[0].splitlines()
    columns = [row.split("\t") for row in rows]
    return sum(counters.count(",") + 1 for _, counters in columns), sum(drops != "" for drops, _ in columns)


def _as_udp_capture(stream: bytes) -> bytes:
    """Return a pcap file of a stream in UDP datagrams of seven packets, one a millisecond."""
    parts: list[Sequence[int] | bytes] = [b"\xd4\xc3\xb2\xa1\x02\0\x04\0" + bytes(8) + b"\0\0\x04\0\x65\0\0\0"]
    for number, at in enumerate(range(0, len(stream), 1316)):
        payload = stream[at : at + 1316]
        udp = (1234).to_bytes(2, "big") * 2 + (8 + len(payload)).to_bytes(2, "big") + b"\0\0" + payload
        ip = b"\x45\0" + (20 + len(udp)).to_bytes(2, "big") + bytes(4) + b"\x40\x11\0\0\x7f\0\0\x01\x7f\0\0\x01" + udp
        seconds, milliseconds = divmod(number, 1000)
        times = seconds.to_bytes(4, "little") + (milliseconds * 1000).to_bytes(4, "little")
        parts.append(times + len(ip).to_bytes(4, "little") * 2 + ip)
    return b"".join(map(bytes, parts))
