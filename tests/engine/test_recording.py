"""A recording as a player sees it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from app.engines.receiver.outputs.recording import Recording, RecordingPlan
from tests.instruments.sample import make_sample
from tests.instruments.waiting import wait_for


def test_a_recording_plays_while_it_grows(tmp_path: Path) -> None:
    data = make_sample(tmp_path / "sample.ts", seconds=3).read_bytes()
    folder = tmp_path / "media"
    folder.mkdir()
    recorded = Recording(RecordingPlan(folder, "news", floor_bytes=0))
    recorded.take([data[at : at + 1316] for at in range(0, len(data) // 2, 1316)])
    wait_for(lambda: recorded.report().bytes_total >= len(data) // 2, deadline_s=10, what="the bytes in the file")
    (file,) = folder.iterdir()
    assert shutil.which("ffmpeg"), "ffmpeg is missing: apt-get install ffmpeg"
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(file), "-map", "0", "-c", "copy", "-f", "null", "-"]
    played = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    recorded.stop()
    assert played.stderr == ""
