"""Real receivers of an SRT stream, as callers and as listeners: srt_receiver, srt-live-transmit, ffmpeg, GStreamer."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.instruments.child import Child, JsonChild
from tests.instruments.srt_receiver import TIMES, Figures
from tests.instruments.waiting import wait_for


@dataclass(frozen=True)
class Arrival:
    """One message of a receiver.

    `due_us`: when libsrt had to deliver it (µs of its clock). `taken_ns`: when the receiver took it (Unix time).
    `sequence`: its SRT sequence number. `bytes`: its length.
    """

    due_us: int
    taken_ns: int
    sequence: int
    bytes: int


class Receiver:
    """A running srt_receiver: `with Receiver.calling(port) as receiver: receiver.wait_for_bytes(1_000_000)`."""

    def __init__(self, mode: str, port: int, *, within: Sequence[str] = (), **wanted: Any) -> None:
        """Start receiving. `wanted` are the fields of srt_receiver.Wanted; `within` is as for JsonChild."""
        self._folder = tempfile.TemporaryDirectory(prefix="receiver-")
        self.payload = Path(self._folder.name) / "payload.ts"
        self._times = Path(self._folder.name) / "times"
        self._ended = False
        self.child = JsonChild(
            "tests.instruments.srt_receiver",
            first={"mode": mode, "port": port, "write": str(self.payload), "times": str(self._times)} | wanted,
            within=within,
        )

    @classmethod
    def calling(cls, port: int, **wanted: Any) -> Self:
        """Call a listener on this host."""
        return cls("call", port, **wanted)

    @classmethod
    def following(cls, port: int, **wanted: Any) -> Self:
        """Call a listener on this host for hours. Packets are checked as they arrive and are not kept."""
        return cls("call", port, follow=True, write="", times="", **wanted)

    @classmethod
    def listening(cls, port: int, **wanted: Any) -> Self:
        """Listen on this host for one caller, and return when the receiver listens."""
        made = cls("listen", port, **wanted)
        made.wait_for_state("listening", "connected")
        return made

    def figures(self) -> Figures:
        """Return the newest figures. The receiver reports them every half second."""
        return Figures(**self.child.last())

    def wait_for_state(self, *states: str, deadline_s: float = 10) -> Figures:
        """Wait until the receiver is in one of these states, and return its figures."""
        wait_for(
            lambda: self.figures().state in states,
            deadline_s=deadline_s,
            what=f"receiver {' or '.join(states)}; it said {self.child.output()[-300:]} {self.child.complaints()}",
        )
        return self.figures()

    def wait_for_bytes(self, count: int, *, deadline_s: float = 20) -> Figures:
        """Wait until `count` bytes of payload have arrived, and return the figures."""
        wait_for(lambda: self.figures().bytes >= count, deadline_s=deadline_s, what=f"{count} bytes of payload")
        return self.figures()

    def wait_for_seconds(self, count: int, *, deadline_s: float = 0) -> Figures:
        """Wait until payload arrives more than `count` seconds after the connection, and return the figures."""
        wait_for(
            lambda: len(self.figures().seconds) > count,
            deadline_s=deadline_s or count + 15,
            what=f"{count} s of payload; last {self.figures()}",
            every_s=0.2,
        )
        return self.figures()

    def finish(self) -> Figures:
        """End the receiver and return its last figures. The payload file is then complete."""
        assert self.child.process.stdin is not None
        self.child.process.stdin.close()
        self.child.wait(deadline_s=10)
        return self.figures()

    def arrivals(self) -> list[Arrival]:
        """Return every message received, in order."""
        data = self._times.read_bytes()
        return [Arrival(*record) for record in TIMES.iter_unpack(data[: len(data) // TIMES.size * TIMES.size])]

    def close(self) -> None:
        """End the process and remove its files."""
        self.child.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class ProgramReceiver:
    """A receiver of another project that writes the payload to a file."""

    def __init__(self, argv: list[str], payload: Path, folder: tempfile.TemporaryDirectory[str]) -> None:
        self._folder = folder
        self.payload = payload
        self.child = Child(argv)

    def wait_for_bytes(self, count: int, *, deadline_s: float = 30) -> None:
        """Wait until the file has at least `count` bytes of payload."""
        wait_for(
            lambda: self.payload.exists() and self.payload.stat().st_size >= count,
            deadline_s=deadline_s,
            what=f"{count} bytes by {self.child.process.args!r}: {self.child.complaints()[-500:]}",
        )

    def close(self) -> None:
        """End the program and remove its files."""
        self.child.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class SrtLiveTransmit(ProgramReceiver):
    """srt-live-transmit of libsrt. It writes its statistics as JSON every 100 packets."""

    def __init__(self, address: str, *, latency_ms: int = 120, **options: str | int) -> None:
        """Receive from `address`: `127.0.0.1:10001` to call, `:10001` to listen. `options` are URI parameters."""
        folder = tempfile.TemporaryDirectory(prefix="slt-")
        payload, self._stats = Path(folder.name) / "payload.ts", Path(folder.name) / "stats.json"
        query = "&".join(f"{name}={value}" for name, value in {"latency": latency_ms, **options}.items())
        super().__init__(
            [
                *("sh", "-c", 'exec "$@" > "$0"', str(payload)),
                *("srt-live-transmit", "-q", "-f", "-s", "100", "-pf", "json", "-statsout", str(self._stats)),
                *(f"srt://{address}?{query}", "file://con"),
            ],
            payload,
            folder,
        )

    def stats(self) -> list[dict[str, Any]]:
        """Return the statistics so far, oldest first, with libsrt's names."""
        if not self._stats.exists():
            return []
        whole = [line.strip().rstrip(",") for line in self._stats.read_text().splitlines()]
        return [json.loads(line) for line in whole if line.startswith("{") and line.endswith("}")]


class Ffmpeg(ProgramReceiver):
    """ffmpeg as a receiver that copies the transport packets unchanged."""

    def __init__(self, address: str, *, mode: str = "caller", latency_ms: int = 120) -> None:
        """Receive from `127.0.0.1:10001`, as caller or as listener. ffmpeg's latency is in microseconds."""
        folder = tempfile.TemporaryDirectory(prefix="ffmpeg-")
        payload = Path(folder.name) / "payload.ts"
        super().__init__(
            [
                *("ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-f", "data"),
                *("-i", f"srt://{address}?mode={mode}&latency={latency_ms * 1000}"),
                *("-map", "0", "-c", "copy", "-f", "data", "-flush_packets", "1", str(payload)),
            ],
            payload,
            folder,
        )


class GStreamer(ProgramReceiver):
    """gst-launch-1.0 with srtsrc as a receiver."""

    def __init__(self, address: str, *, mode: str = "caller", latency_ms: int = 120) -> None:
        """Receive from `127.0.0.1:10001` as caller, or at `:10001` as listener."""
        folder = tempfile.TemporaryDirectory(prefix="gstreamer-")
        payload = Path(folder.name) / "payload.ts"
        source = ["srtsrc", f"uri=srt://{address}?mode={mode}&latency={latency_ms}"]
        sink = ["filesink", f"location={payload}", "buffer-mode=unbuffered", "sync=false"]
        super().__init__(["gst-launch-1.0", "-q", *source, "!", *sink], payload, folder)


def busiest_second(arrivals: list[Arrival]) -> int:
    """Return the largest number of payload bytes that were due within one second (a sliding window).

    A message is due at its origin time plus the latency. This is when a decoder receives it, independent of the load of
    this machine.
    """
    best, first = 0, 0
    totals = [0, *itertools.accumulate(arrival.bytes for arrival in arrivals)]
    for last, arrival in enumerate(arrivals):
        while arrival.due_us - arrivals[first].due_us >= 1_000_000:
            first += 1
        best = max(best, totals[last + 1] - totals[first])
    return best
