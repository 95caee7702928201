"""The program as a whole: how it starts, what it says of itself, and what remains when it ends."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from tests.instruments.child import ROOT, is_alive
from tests.instruments.product import Product
from tests.instruments.receivers import Receiver


@pytest.fixture
def own(sample: Path) -> Product:
    """A product of the test's own, which the test ends."""
    return Product(sample)


def test_sigterm_takes_every_stream_off_air_and_leaves_nothing_behind(own: Product) -> None:
    with own:
        views = [own.start() for _ in range(3)]
        receivers = [Receiver.calling(view["spec"]["endpoint"]["port"]) for view in views]
        try:
            for receiver in receivers:
                receiver.wait_for_bytes(200_000)
            workers = own.worker_pids()
            assert len(workers) == 3
            own.web.process.terminate()
            assert own.web.wait(deadline_s=15) == 0
            for receiver in receivers:
                # Closed with a goodbye: libsrt reports it at once, not after its 5 s of silence.
                receiver.wait_for_state("lost", deadline_s=2)
            assert not [pid for pid in workers if is_alive(pid)]
        finally:
            for receiver in receivers:
                receiver.close()


def test_a_web_process_that_is_killed_leaves_its_streams_on_air(own: Product) -> None:
    with own:
        view = own.start()
        with Receiver.calling(view["spec"]["endpoint"]["port"]) as receiver:
            receiver.wait_for_bytes(500_000)
            own.kill_web()
            before = receiver.figures().bytes
            figures = receiver.wait_for_bytes(before + 4_000_000, deadline_s=10)
            assert is_alive(view["worker"]["pid"])
            assert (figures.packets_dropped, figures.state) == (0, "connected")


def test_a_worker_is_out_of_reach_of_ctrl_c_and_in_the_scheduling_group_of_the_program(product: Product) -> None:
    worker = product.start()["worker"]["pid"]
    assert os.getpgid(worker) == worker != os.getpgid(product.web.pid)
    assert os.getsid(worker) == os.getsid(product.web.pid)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SECRET_KEY", ""), ("SECRET_KEY", "short"), ("PORT", "http"), ("LISTENER_PORTS", "9-1"), ("QOS_DSCP", "64")],
)
def test_a_wrong_setting_is_named_and_nothing_starts(variable: str, value: str, tmp_path: Path) -> None:
    environment = {
        "PATH": "/usr/bin:/bin",
        "SECRET_KEY": secrets.token_hex(32),
        "DATA_FOLDER": str(tmp_path / "data"),
        "RUNTIME_FOLDER": str(tmp_path / "run"),
        "MEDIA_FOLDER": str(tmp_path / "media"),
        "LOG_FILE": str(tmp_path / "log"),
        variable: value,
    }
    ended = subprocess.run(
        [sys.executable, "wsgi.py"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 78
    assert variable in ended.stderr
    assert "Traceback" not in ended.stderr


def test_health_tells_no_secret_and_no_version_and_needs_no_key(product: Product) -> None:
    product.start(encryption={"key_bits": 128, "passphrase": "ten letters"})
    answer = product.request("GET", "/health", key="")
    assert answer.status == 200
    text = answer.body.decode().lower()
    assert not [word for word in ("ten letters", "gstreamer", "1.22", "libsrt", "/tmp/", "secret_key") if word in text]
