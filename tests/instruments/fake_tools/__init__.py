"""Misbehaving programs that replace ping, iperf3 and getent. Each adds its process id to the file NAME.pids."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.instruments.waiting import wait_for

_HERE = Path(__file__).parent


class FakeTools:
    """A folder of fake programs that comes first in PATH while the test runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def pretend(self, program: str, behaviour: str) -> None:
        """Replace `program` by a script of this folder: hang, garbage, flood, silence, busy, closing or nonsense."""
        link = self.folder / program
        link.unlink(missing_ok=True)
        link.symlink_to(_HERE / f"{behaviour}.py")

    def say(self, program: str, text: str) -> None:
        """Replace `program` by a script that prints a text and succeeds."""
        script = self.folder / program
        script.unlink(missing_ok=True)
        script.write_text(f"#!/usr/bin/env -S python3 -S\nprint({text!r})\n")
        script.chmod(0o755)

    def pids(self, program: str) -> list[int]:
        """Return the ids of the processes that have run under this name so far, and of their children."""
        noted = self.folder / f"{program}.pids"
        return [int(line) for line in noted.read_text().split()] if noted.exists() else []

    def wait_for_start(self, program: str, *, processes: int = 1) -> list[int]:
        """Wait until at least `processes` processes have run under this name, and return their ids."""
        return wait_for(
            lambda: pids if len(pids := self.pids(program)) >= processes else [],
            deadline_s=10,
            what=f"{program} started",
            every_s=0.01,
        )
