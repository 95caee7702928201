"""GStreamer's plugin registry, created once by each test process.

A worker that finds no registry creates it. This takes four times the processor time of the rest of its start.
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
    """Write the registry to the path that the launcher of workers uses, as after an installation's first stream."""
    (runtime_folder / "gstreamer-registry.bin").write_bytes(_registry())
