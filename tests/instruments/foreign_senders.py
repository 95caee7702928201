"""SRT senders of other projects, as callers and listeners. Each sends a file's bytes unchanged.

They are srt-live-transmit, the distribution's ffmpeg, the ffmpeg of PyPI's imageio-ffmpeg (with a newer libsrt), and
GStreamer's srtsink. `python -m tests.instruments.foreign_senders FILE GO RATE` waits until the file GO exists. Then it
writes FILE to standard output at RATE bits a second, and after it null packets without end: some programs hold back
the last bytes that they have read.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal, Self

import imageio_ffmpeg

from tests.instruments.child import ROOT

Peer = Literal["srt-live-transmit", "ffmpeg", "imageio-ffmpeg", "srtsink"]
PEERS: tuple[Peer, ...] = ("srt-live-transmit", "ffmpeg", "imageio-ffmpeg", "srtsink")
PAYLOAD_BYTES = 1316
FILLER = (b"\x47\x1f\xff\x10" + b"\xff" * 184) * 7
_AT_ONCE = 8


def _argv(peer: Peer, port: int, mode: str, latency_ms: int, passphrase: str, key_bytes: int) -> list[str]:
    key = f"&passphrase={passphrase.replace(' ', '%20')}&pbkeylen={key_bytes}" if passphrase else ""
    match peer:
        case "srt-live-transmit":
            host = "" if mode == "listener" else "127.0.0.1"
            url = f"srt://{host}:{port}?mode={mode}&latency={latency_ms}{key}"
            return ["srt-live-transmit", "-q", "-f", "file://con", url]
        case "ffmpeg" | "imageio-ffmpeg":
            program = "ffmpeg" if peer == "ffmpeg" else imageio_ffmpeg.get_ffmpeg_exe()
            url = f"srt://127.0.0.1:{port}?mode={mode}&latency={latency_ms * 1000}&pkt_size={PAYLOAD_BYTES}{key}"
            reading = ["-probesize", "32", "-f", "data", "-raw_packet_size", str(PAYLOAD_BYTES), "-i", "pipe:0"]
            writing = ["-map", "0", "-c", "copy", "-f", "data", "-flush_packets", "1", url]
            return [program, "-hide_banner", "-loglevel", "error", *reading, *writing]
        case "srtsink":
            host = "" if mode == "listener" else "127.0.0.1"
            url = f"srt://{host}:{port}?mode={mode}&latency={latency_ms}{key}"
            source = ["fdsrc", "fd=0", f"blocksize={PAYLOAD_BYTES}"]
            return ["gst-launch-1.0", "-q", *source, "!", "srtsink", f"uri={url}", "wait-for-connection=false"]


class ForeignSender:
    """A running sender. After the call of `go`, it sends the file and then FILLER until it is closed."""

    def __init__(
        self,
        peer: Peer,
        path: Path,
        port: int,
        *,
        mode: str = "caller",
        latency_ms: int = 500,
        passphrase: str = "",
        key_bytes: int = 0,
        bitrate_bps: int = 12_000_000,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="foreign-")
        self._go, self._log = Path(self._folder.name) / "go", Path(self._folder.name) / "log"
        pacing = [sys.executable, "-m", "tests.instruments.foreign_senders", str(path), str(self._go), str(bitrate_bps)]
        self._pacer = subprocess.Popen(pacing, stdout=subprocess.PIPE, cwd=ROOT)
        argv = _argv(peer, port, mode, latency_ms, passphrase, key_bytes)
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(argv, stdin=self._pacer.stdout, stdout=log, stderr=log, cwd=ROOT)
        assert self._pacer.stdout is not None
        self._pacer.stdout.close()

    def go(self) -> None:
        """Make the sender start to send."""
        self._go.touch()

    def complaints(self) -> str:
        """Return the last 2000 characters of the program's output."""
        return self._log.read_text(errors="replace")[-2000:]

    def close(self) -> None:
        """End the sender and the program that paces its input."""
        for process in (self.process, self._pacer):
            process.kill()
            process.wait()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def main() -> None:
    """Write the file in groups of _AT_ONCE payloads. A delay is not made up by a burst, which a sender would drop."""
    data, go, bitrate_bps = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]), int(sys.argv[3])
    while not go.exists():
        time.sleep(0.02)
    size = PAYLOAD_BYTES * _AT_ONCE
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    for piece in itertools.chain(pieces, itertools.repeat(FILLER * _AT_ONCE)):
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        time.sleep(size * 8 / bitrate_bps)


if __name__ == "__main__":
    main()
