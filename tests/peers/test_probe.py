"""`mcr probe` against a real sender: its figures and its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.instruments.product import SAMPLE_NAME, Product
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
    # A machine that does other work is reported as busy: attention.
    assert done.returncode == {"good": 0, "attention": 1, "fault": 2}[reception["verdict"]["severity"]]
    assert "correct horse" not in done.stdout + done.stderr


def test_no_answer_is_status_3_and_wrong_usage_is_no_verdict() -> None:
    silent = _run(f"srt://127.0.0.1:{free_port()}", "--for", "1s")
    assert (silent.returncode, silent.stdout.splitlines()[0]) == (3, "no connection: no answer")
    assert _run("srt://127.0.0.1:9000?passphrase=0123456789").returncode == 64
    assert _run("srt://127.0.0.1:9000", "--for", "soon").returncode == 64


def test_a_result_is_posted_to_another_installation_with_a_key_from_a_file(product: Product, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(product.api_key + "\n")
    address = f"http://127.0.0.1:{product.port}"
    port = free_port()
    with Sender(product.media / SAMPLE_NAME, port, mode="listen") as sender:
        sender.wait_for_state("listening")
        url = f"srt://127.0.0.1:{port}"
        done = _run(url, "--for", "2s", "--json", "--report", address, "--api-key-file", str(key_file))
    measured = json.loads(done.stdout)["reception"]
    assert "reported to" in done.stderr
    (kept,) = product.get("/api/probe_reports").document["reports"]
    assert kept["report"]["packets_unique"] == measured["packets_unique"]
    assert kept["report"]["text"] == measured["verdict"]["text"]
    assert str(port) in kept["report"]["target"]
    product.delete(f"/api/probe_reports/{kept['id']}")


def test_a_refused_report_is_said_and_leaves_the_exit_status_to_the_verdict(product: Product, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("wrong")
    options = ("--for", "1s", "--wait", "1s", "--api-key-file", str(key_file))
    silent = _run(f"srt://:{free_port()}", *options, "--report", f"http://127.0.0.1:{product.port}")
    assert silent.returncode == 3
    assert "the result could not be reported" in silent.stderr
    assert product.get("/api/probe_reports").document["reports"] == []
    assert _run("srt://127.0.0.1:9000", "--report", "ftp://host").returncode == 64
