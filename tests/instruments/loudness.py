"""Measures the loudness of a file with ffmpeg, independently of the product."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path


def integrated_of(path: Path) -> float:
    """Return the integrated loudness of a file in LUFS, from the summary of ffmpeg's ebur128 filter."""
    argv = ("ffmpeg", "-hide_banner", "-nostats", "-i", path, "-vn", "-af", "ebur128", "-f", "null", "-")
    text = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stderr.split("Summary:")[1]
    return float(re.findall(r"I:\s+(-?[\d.]+)", text)[0])
