"""A decoder that is slow, dies, hangs, is missing or is fed nonsense: the reception never waits for it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app.domain.figures.watching import DecoderProblem
from app.engines.receiver.decoding.decoder import Decoder
from app.engines.receiver.decoding.picture import ARGV
from tests.instruments.waiting import wait_for
from tests.processes.decoding.streams import TONE, feed, make_stream


class Heard:
    """Counts what a decoder did."""

    def __init__(self) -> None:
        self.begins = self.ends = 0
        self.lines: list[str] = []

    def begin(self) -> None:
        self.begins += 1

    def end(self) -> None:
        self.ends += 1

    def hear(self, line: str) -> None:
        self.lines.append(line)

    def see(self, data: bytes) -> None:
        pass


Make = Callable[..., Decoder]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def make(heard: Heard) -> Iterator[Make]:
    made: list[Decoder] = []

    def start(*argv: str, mute_s: float = 30.0) -> Decoder:
        made.append(Decoder(argv, "Video", heard, mute_s=mute_s))
        return made[-1]

    yield start
    for decoder in made:
        decoder.stop()


def child_of(name: str) -> psutil.Process:
    """Return this process's running child with that name."""
    return wait_for(
        lambda: next((one for one in psutil.Process().children() if one.name() == name), None),
        deadline_s=10,
        what=f"a process {name}",
    )


def test_a_decoder_that_reads_nothing_costs_only_its_own_figures(make: Make) -> None:
    decoder = make("sleep", "60")
    child_of("sleep")
    wait_for(lambda: decoder.report().is_running, deadline_s=10, what="a decoder")
    longest_s = 0.0
    for _ in range(400):
        began = time.perf_counter()
        decoder.take([b"G" * 1316 * 10])
        longest_s = max(longest_s, time.perf_counter() - began)
    assert decoder.report().bytes_missing >= 400 * 13_160 - 4 * 1024 * 1024
    assert longest_s < 1.0


def test_a_decoder_that_says_nothing_while_it_is_fed_is_replaced(make: Make) -> None:
    decoder = make("sleep", "60", mute_s=0.5)
    wait_for(lambda: decoder.report().is_running, deadline_s=10, what="a decoder")

    def hangs() -> bool:
        decoder.take([b"G" * 131_600])
        return decoder.report().problem is DecoderProblem.HUNG

    wait_for(hangs, deadline_s=20, what="the end of the one that hung")
    wait_for(lambda: decoder.report().restarts, deadline_s=20, what="another one")


def test_a_killed_decoder_comes_back_and_is_bounded(make: Make, heard: Heard) -> None:
    decoder = make(*ARGV)
    child = child_of("ffmpeg")
    wait_for(lambda: child.nice() == 10, deadline_s=10, what="a low priority")
    limits = wait_for(
        lambda: text if "402653184" in (text := Path(f"/proc/{child.pid}/limits").read_text()) else "",
        deadline_s=10,
        what="a limit of memory",
    )
    rows = {line[:26].strip(): line[26:].split()[:2] for line in limits.splitlines()[1:]}
    assert rows["Max data size"] == ["402653184"] * 2
    assert rows["Max file size"] == ["0"] * 2
    assert rows["Max core file size"] == ["0"] * 2
    assert int(rows["Max cpu time"][0]) <= 11
    os.kill(child.pid, signal.SIGKILL)
    wait_for(lambda: heard.begins == 2, deadline_s=20, what="another decoder")
    assert decoder.report().restarts == 1
    assert heard.ends == 1


def test_a_decoder_that_needs_more_than_its_part_of_a_core_is_ended(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engines.receiver.decoding.decoder._CPU_MORE_S", 1)
    monkeypatch.setattr("app.engines.receiver.decoding.decoder._CPU_PART", 0.0)
    decoder = make("sh", "-c", "while :; do :; done")
    wait_for(lambda: decoder.report().problem is DecoderProblem.TOO_BUSY, deadline_s=30, what="its end")


def test_it_ends_when_its_input_ends_so_it_does_not_outlive_a_killed_worker(make: Make) -> None:
    make(*ARGV)
    child = child_of("ffmpeg")
    pipe = next(fd for fd in Path("/proc/self/fd").iterdir() if _is_input(fd, child.pid))
    os.close(int(pipe.name))
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, deadline_s=10, what="its end")


def _is_input(fd: Path, pid: int) -> bool:
    try:
        return fd.readlink() == Path(f"/proc/{pid}/fd/0").readlink()
    except OSError:
        return False


def test_a_missing_ffmpeg_is_named(make: Make) -> None:
    decoder = make("no-such-program-here")
    wait_for(lambda: decoder.report().problem is DecoderProblem.NOT_INSTALLED, deadline_s=10, what="the reason")
    decoder.take([b"G" * 188])
    assert decoder.report().bytes_missing == 0


def test_a_stream_without_a_picture_is_named(make: Make, tmp_path: Path) -> None:
    decoder = make(*ARGV)
    wait_for(lambda: decoder.report().is_running, deadline_s=10, what="a decoder")
    data = make_stream(tmp_path / "radio.ts", sound=TONE.format(s=60, v=1))

    def is_named() -> bool:
        feed(decoder, data)
        return decoder.report().problem is DecoderProblem.NOTHING_TO_DECODE

    wait_for(is_named, deadline_s=30, what="the reason")


def test_a_playlist_in_place_of_a_stream_opens_nothing(make: Make, tmp_path: Path, heard: Heard) -> None:
    secret = tmp_path / "secret.ts"
    make_stream(secret, picture="testsrc2=size=320x180:rate=25:duration=2")
    decoder = make(*ARGV)
    wait_for(lambda: decoder.report().is_running, deadline_s=10, what="a decoder")
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{secret}\n#EXT-X-ENDLIST\n".encode()
    feed(decoder, (text * 20_000)[: 3 * 1024 * 1024])
    assert not any("Video: h264" in line for line in heard.lines)
