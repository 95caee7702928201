"""Colour bars over SRT: what a receiver gets decodes and keeps its rate, both formats at once."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from tests.instruments.durations import seconds
from tests.instruments.product import Product
from tests.instruments.receivers import Receiver
from tests.instruments.ts_reader import read_ts

FORMATS = ("720p50", "1080i25")
_TS_BYTES = 188


def from_whole_picture_to_whole_picture(data: bytes) -> bytes:
    """Cut at random access points, and put PAT and PMT in front: a receiver comes and goes at any moment."""
    packets = [data[at : at + _TS_BYTES] for at in range(0, len(data) // _TS_BYTES * _TS_BYTES, _TS_BYTES)]
    tables = [
        next(packet for packet in packets if packet[0:3] == start) for start in (b"\x47\x40\x00", b"\x47\x40\x20")
    ]
    entries = [at for at, packet in enumerate(packets) if packet[3] & 0x20 and packet[4] and packet[5] & 0x40]
    video = packets[entries[0]][1:3]
    entries = [at for at in entries if packets[at][1:3] == video]
    return b"".join([*tables, *packets[entries[0] : entries[-1]]])


@pytest.fixture(scope="module")
def received(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Recordings of both formats, received at the same time."""
    with Product(sample) as product:
        return receive_all(product, tmp_path_factory.mktemp("bars"))


def receive_all(product: Product, folder: Path) -> dict[str, Path]:
    ports = {
        name: product.start(source={"kind": "bars", "format": name})["spec"]["endpoint"]["port"] for name in FORMATS
    }
    # Two encoders on a busy machine: a long latency, so that its pauses are no loss. Rate and pictures are judged here.
    receivers = {name: Receiver.calling(port, latency_ms=3000) for name, port in ports.items()}
    files = {}
    try:
        for name, receiver in receivers.items():
            receiver.wait_for_seconds(seconds(10, long=60))
            figures = receiver.finish()
            assert figures.packets_dropped == 0
            files[name] = folder / f"{name}.ts"
            files[name].write_bytes(receiver.payload.read_bytes())
    finally:
        for receiver in receivers.values():
            receiver.close()
    return files


@pytest.mark.parametrize("name", FORMATS)
def test_bars_decode_without_an_error(name: str, received: dict[str, Path], tmp_path: Path) -> None:
    whole = tmp_path / "whole.ts"
    whole.write_bytes(from_whole_picture_to_whole_picture(received[name].read_bytes()))
    done = subprocess.run(
        ["ffmpeg", "-v", "warning", "-xerror", "-err_detect", "explode", "-i", whole, "-f", "null", "-"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", FORMATS)
def test_bars_hold_the_multiplex_rate_within_one_percent(name: str, received: dict[str, Path]) -> None:
    report = read_ts(received[name].read_bytes())
    assert report.sync_errors == report.continuity_errors() == report.section_errors() == 0
    (clock,) = [pid for pid in report.pids.values() if pid.pcrs]
    rates_bps = [
        (after - before) * _TS_BYTES * 8 * 27e6 / (then - now) for (before, now), (after, then) in pairwise(clock.pcrs)
    ]
    assert min(rates_bps) == pytest.approx(8e6, rel=0.01)
    assert max(rates_bps) == pytest.approx(8e6, rel=0.01)
    assert max(clock.pcr_steps_ms()) <= 40
