"""Real receivers of an SRT stream: our own, srt-live-transmit, ffmpeg and GStreamer; as callers and as listeners."""

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
    """One message: when libsrt was due to hand it out (µs of its clock), its SRT sequence number and length."""

    due_us: int
    taken_ns: int
    sequence: int
    bytes: int


class Receiver:
    """Our own receiver, running: `with Receiver.calling(port) as receiver: receiver.wait_for_bytes(1_000_000)`."""

    def __init__(self, mode: str, port: int, *, within: Sequence[str] = (), **wanted: Any) -> None:
        """Start receiving; `wanted` are the fields of srt_receiver.Wanted. `within` as for JsonChild."""
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
        """Call a listener on this host for hours: packets are judged as they come, and not kept."""
        return cls("call", port, follow=True, write="", times="", **wanted)

    @classmethod
    def listening(cls, port: int, **wanted: Any) -> Self:
        """Listen on this host for one caller; ready when this returns."""
        made = cls("listen", port, **wanted)
        made.wait_for_state("listening", "connected")
        return made

    def figures(self) -> Figures:
        """The newest figures, at most half a second old."""
        return Figures(**self.child.last())

    def wait_for_state(self, *states: str, deadline_s: float = 10) -> Figures:
        """Wait until the receiver is in one of these states."""
        wait_for(
            lambda: self.figures().state in states,
            deadline_s=deadline_s,
            what=f"receiver {' or '.join(states)}; it said {self.child.output()[-300:]} {self.child.complaints()}",
        )
        return self.figures()

    def wait_for_bytes(self, count: int, *, deadline_s: float = 20) -> Figures:
        """Wait until so much payload came."""
        wait_for(lambda: self.figures().bytes >= count, deadline_s=deadline_s, what=f"{count} bytes of payload")
        return self.figures()

    def wait_for_seconds(self, count: int, *, deadline_s: float = 0) -> Figures:
        """Wait until payload came in so many whole seconds after the connection was made."""
        wait_for(
            lambda: len(self.figures().seconds) > count,
            deadline_s=deadline_s or count + 15,
            what=f"{count} s of payload; last {self.figures()}",
            every_s=0.2,
        )
        return self.figures()

    def finish(self) -> Figures:
        """Let it close the connection and report its last figures; the payload file is then complete."""
        assert self.child.process.stdin is not None
        self.child.process.stdin.close()
        self.child.wait(deadline_s=10)
        return self.figures()

    def arrivals(self) -> list[Arrival]:
        """Every message received, in order."""
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
    """A receiver by another maker that writes the payload to a file."""

    def __init__(self, argv: list[str], payload: Path, folder: tempfile.TemporaryDirectory[str]) -> None:
        self._folder = folder
        self.payload = payload
        self.child = Child(argv)

    def wait_for_bytes(self, count: int, *, deadline_s: float = 30) -> None:
        """Wait until so much payload is in the file."""
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
    """srt-live-transmit of libsrt, with its statistics as JSON every 100 packets."""

    def __init__(self, address: str, *, latency_ms: int = 120, **options: str | int) -> None:
        """Receive from `address`: `127.0.0.1:10001` to call, `:10001` to listen. Options are its URI parameters."""
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
        """Its statistics so far, oldest first; libsrt's own names."""
        if not self._stats.exists():
            return []
        whole = [line.strip().rstrip(",") for line in self._stats.read_text().splitlines()]
        return [json.loads(line) for line in whole if line.startswith("{") and line.endswith("}")]


class Ffmpeg(ProgramReceiver):
    """ffmpeg, which copies the transport packets unchanged."""

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
    """gst-launch-1.0 with srtsrc."""

    def __init__(self, address: str, *, mode: str = "caller", latency_ms: int = 120) -> None:
        """Receive from `127.0.0.1:10001` as caller, or at `:10001` as listener."""
        folder = tempfile.TemporaryDirectory(prefix="gstreamer-")
        payload = Path(folder.name) / "payload.ts"
        source = ["srtsrc", f"uri=srt://{address}?mode={mode}&latency={latency_ms}"]
        sink = ["filesink", f"location={payload}", "buffer-mode=unbuffered", "sync=false"]
        super().__init__(["gst-launch-1.0", "-q", *source, "!", *sink], payload, folder)


def busiest_second(arrivals: list[Arrival]) -> int:
    """The most payload bytes that were due in any one second, whichever moment it begins (sliding).

    Due is origin time plus latency: when a decoder gets it, whatever else this machine had to do just then.
    """
    best, first = 0, 0
    totals = [0, *itertools.accumulate(arrival.bytes for arrival in arrivals)]
    for last, arrival in enumerate(arrivals):
        while arrival.due_us - arrivals[first].due_us >= 1_000_000:
            first += 1
        best = max(best, totals[last + 1] - totals[first])
    return best
