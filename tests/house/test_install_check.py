"""The check of an installation recognises workers by the module that they run."""

from __future__ import annotations

import re
from pathlib import Path

from app.supervisor.launchers.own_workers import WORKER_MODULES

CHECK = Path(__file__).parents[2] / "scripts" / "check_install_inside.sh"


def test_the_check_looks_for_the_module_that_workers_run() -> None:
    found = re.search(r"pgrep -u mcr-srt -f (\S+)", CHECK.read_text())
    assert found is not None
    assert found[1] == WORKER_MODULES[0]
