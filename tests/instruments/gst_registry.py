"""GStreamer's list of its plugins, made once by each test process.

A worker that finds none makes it, which takes four times the processor time of all the rest of its start.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

_MAKE = "import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst; Gst.init(None)"


@cache
def _registry() -> bytes:
    with tempfile.TemporaryDirectory(prefix="registry-") as folder:
        path = Path(folder) / "registry"
        environment = {**os.environ, "GST_REGISTRY_1_0": str(path)}
        subprocess.run([sys.executable, "-c", _MAKE], env=environment, check=True, timeout=60)
        return path.read_bytes()


def give_registry(runtime_folder: Path) -> None:
    """Put it where the launcher of workers has it, as after the first stream of an installation."""
    (runtime_folder / "gstreamer-registry.bin").write_bytes(_registry())
