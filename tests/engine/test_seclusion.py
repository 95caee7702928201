"""What a worker receives and loads: no secret where other users could read it, and nothing that it does not need."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import protocol
from app.domain.secret import Secret
from app.domain.spec import Encryption, FileSource
from app.supervisor.launchers.base import WorkerHandle
from app.supervisor.launchers.local import LocalLauncher
from tests.instruments.child import ROOT
from tests.instruments.waiting import free_port, wait_for
from tests.instruments.worker import job_for

PASSPHRASE = "never to be seen again"
SECRETS = {
    "SECRET_KEY": "the secret key of the web process",
    "API_KEY": "the API key of the web process",
    "DATABASE_URL": "postgresql://user:password-of-the-store@db/mcr",
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A runtime folder. Its path is short: a Unix socket's name has 108 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="mcr-") as made:
        yield Path(made)


@pytest.fixture
def launched(sample: Path, folder: Path, tmp_path: Path) -> Iterator[WorkerHandle]:
    """A worker of a web process with secrets in its environment and an inheritable descriptor of its store."""
    launcher = LocalLauncher(folder, environment={**os.environ, **SECRETS})
    encryption = Encryption(256, Secret(PASSPHRASE))
    job = job_for(FileSource("bars.ts"), port=free_port(), file_path=sample, encryption=encryption)
    with (tmp_path / "store.sqlite3").open("w") as store:
        os.set_inheritable(store.fileno(), True)
        worker = launcher.launch(job)
        try:
            wait_for((folder / "test.sock").exists, deadline_s=10, what="a worker that serves")
            yield worker
        finally:
            worker.kill()
            wait_for(lambda: not worker.is_alive(), deadline_s=5, what="its end")


def test_no_secret_is_in_its_environment_its_arguments_or_its_files(launched: WorkerHandle, folder: Path) -> None:
    process = Path(f"/proc/{launched.pid}")
    shown = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
    shown += b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    assert b"PATH=" in shown
    for secret in (PASSPHRASE, *SECRETS.values(), *SECRETS):
        assert secret.encode() not in shown


def test_its_files_are_for_its_own_user_only(launched: WorkerHandle, folder: Path) -> None:
    kept = [path for path in folder.iterdir() if path.suffix in (".sock", ".log")]
    assert {path.suffix for path in kept} == {".sock", ".log"}
    assert not [path for path in kept if path.stat().st_mode & 0o077]


def test_it_holds_nothing_open_of_the_web_process(launched: WorkerHandle) -> None:
    links = []
    for path in Path(f"/proc/{launched.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since the folder was read
            links.append(str(path.readlink()))
    assert links
    assert not [link for link in links if link.endswith("store.sqlite3")]


def test_a_built_pipeline_has_loaded_nothing_of_the_web_or_the_machine(sample: Path) -> None:
    job = job_for(FileSource("bars.ts"), port=free_port(), file_path=sample)
    code = (
        "import sys, os\n"
        "from app import protocol\n"
        "from app.worker.engines import build_engine\n"
        "import app.worker.worker\n"
        "sender = build_engine(protocol.decode_job(sys.stdin.buffer.readline()), lambda event: None)\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), flush=True)\n"
        "os._exit(0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=protocol.encode_job(job),
        capture_output=True,
        cwd=ROOT,
        timeout=30,
        check=True,
    )
    loaded = set(done.stdout.decode().split())
    assert "gi" in loaded
    assert not loaded & {"flask", "werkzeug", "waitress", "psutil", "requests", "sqlalchemy", "numpy", "hashlib"}
