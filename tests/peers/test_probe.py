"""`mcr probe` against a real sender: its figures and its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.instruments.srt_sender import Sender
from tests.instruments.waiting import free_port

_MCR = (sys.executable, "-m", "app.cli")


def _run(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([*_MCR, "probe", *arguments], input=given, capture_output=True, text=True, timeout=60)


def test_a_sender_that_is_called_is_measured_and_judged(sample: Path) -> None:
    port = free_port()
    with Sender(sample, port, mode="listen", passphrase="correct horse battery", key_bytes=16) as sender:
        sender.wait_for_state("listening")
        done = _run(
            *(f"srt://127.0.0.1:{port}?latency=500", "--for", "3s", "--encrypt", "128", "--json"),
            given="correct horse battery\n",
        )
    result = json.loads(done.stdout)
    reception = result["reception"]
    assert reception["packets_unique"] > 1000
    assert reception["packets_dropped"] == 0
    assert reception["latency_ms"] == 500
    # A machine that does other things meanwhile is told to be busy: attention.
    assert done.returncode == {"good": 0, "attention": 1, "fault": 2}[reception["verdict"]["severity"]]
    assert "correct horse" not in done.stdout + done.stderr


def test_no_answer_is_status_3_and_wrong_usage_is_no_verdict() -> None:
    silent = _run(f"srt://127.0.0.1:{free_port()}", "--for", "1s")
    assert (silent.returncode, silent.stdout.splitlines()[0]) == (3, "no connection: no answer")
    assert _run("srt://127.0.0.1:9000?passphrase=0123456789").returncode == 64
    assert _run("srt://127.0.0.1:9000", "--for", "soon").returncode == 64
