"""Measures the CPU time per packet of the seamless loop, compared with a plain copy of the file in the same run.

    python benchmarks/loop_cost.py [FILE.ts] [--rounds 9] [--gstreamer]

Without a file, it generates one of 8 Mb/s. With --gstreamer, it also plays the file once in real time through
`filesrc ! tsparse ! fakesink`, which is the cheapest possible stream (without SRT), and prints the loop's share of it.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.mpegts.inspect.first_look import first_look
from app.sources.looping_file import LoopingReader
from app.sources.packet_file import BLOCK_BYTES
from tests.instruments.ts_maker import Programme, Recipe, make_ts

LAPS = 4


def main() -> None:
    """Measure the three ways in turn and print their medians."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.file or _make_sample(Path(folder))
        check = first_look(path.read_bytes(), b"", size_bytes=path.stat().st_size, tail_offset=path.stat().st_size)
        packets_a_second = check.bitrate_bps / 8 / 188
        print(f"{path.name}: {check.bitrate_bps / 1e6:.2f} Mb/s, {packets_a_second:.0f} packets/s, median of rounds")
        costs = _measure(path, arguments.rounds)
        for name, ns in costs.items():
            share = ns * packets_a_second / 1e9
            print(f"{name:26} {ns:7.0f} ns/packet   {share:7.3%} of a core")
        added = costs["seamless loop"] - costs["plain copy"]
        print(f"seamless loop / plain copy: {costs['seamless loop'] / costs['plain copy']:.1f} x, {added:.0f} ns more")
        if arguments.gstreamer:
            plain = _gstreamer_cpu_share(path)
            print(f"filesrc ! tsparse ! fakesink: {plain:.2%} of a core; the loop adds", end=" ")
            print(f"{added * packets_a_second / 1e9 / plain:.1%} to it")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="CPU cost of the seamless loop")
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--gstreamer", action="store_true")
    return parser.parse_args()


def _make_sample(folder: Path) -> Path:
    path = folder / "sample.ts"
    recipe = Recipe(seconds=11.0, bitrate_bps=8_000_000, programmes=[Programme(video_kbps=6500)], tdt=True)
    path.write_bytes(make_ts(recipe))
    return path


def _measure(path: Path, rounds: int) -> dict[str, float]:
    ways: dict[str, Callable[[Path], int]] = {
        "plain copy": _copy,
        "played once": _play_once,
        "seamless loop": _loop,
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.process_time()
            sent = way(path)
            found[name].append((time.process_time() - started) / (sent / 188) * 1e9)
    return {name: statistics.median(values) for name, values in found.items()}


def _copy(path: Path) -> int:
    sent = 0
    for _ in range(LAPS):
        with path.open("rb", buffering=0) as file:
            block = bytearray(BLOCK_BYTES)
            while (size := os.readv(file.fileno(), [block])) > 0:
                sent += size
                block = bytearray(BLOCK_BYTES)
    return sent


def _play_once(path: Path) -> int:
    sent = 0
    for _ in range(LAPS):
        reader = LoopingReader(str(path), loop=False)
        while block := reader.read():
            sent += len(block)
        reader.close()
    return sent


def _loop(path: Path) -> int:
    reader = LoopingReader(str(path))
    sent = 0
    while reader.laps < LAPS:
        sent += len(reader.read() or b"")
    reader.close()
    return sent


def _gstreamer_cpu_share(path: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    source = ("filesrc", f"location={path}", "blocksize=65424", "!", "tsparse", "set-timestamps=true", "alignment=7")
    child = subprocess.Popen(["gst-launch-1.0", "-q", *source, "!", "fakesink", "sync=true"])
    child.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used / (time.monotonic() - started)


if __name__ == "__main__":
    main()
