"""The resource agent by itself: what pacemaker calls, judged by ocf-tester and by what runs on the host afterwards."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.domain.secret import Secret
from app.domain.spec import BarsSource, Encryption, ListenerEndpoint, SendSpec
from app.fleet.ocf import Code
from app.fleet.parcel import pack, read_fleet_key, unpack
from app.protocol import Job
from app.supervisor.launchers.local import LocalLauncher
from tests.instruments.child import ROOT, is_alive
from tests.instruments.waiting import free_port, wait_for

AGENT = ROOT / "deploy" / "pacemaker" / "stream"
PASSPHRASE = "correct horse battery"


class Host:
    """A host's folders and settings, and calls of the agent as pacemaker makes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("data", "media", "run"):
            (folder / name).mkdir()
        self.key_file = folder / "fleet_key"
        self.make_key()
        self.settings = folder / "environment"
        self.settings.write_text(
            f"# as install.sh writes it\nSECRET_KEY={secrets.token_hex(32)}\nDATA_FOLDER={folder / 'data'}\n"
            f"MEDIA_FOLDER={folder / 'media'}\nRUNTIME_FOLDER={folder / 'run'}\nFLEET_KEY_FILE={self.key_file}\n"
        )
        spec = SendSpec(
            endpoint=ListenerEndpoint(free_port()),
            source=BarsSource(),
            encryption=Encryption(128, Secret(PASSPHRASE)),
        )
        self.job = Job(key="abc123", spec=spec, bitrate_bps=2_000_000)
        self.parcel = pack(self.job, read_fleet_key(self.key_file))
        self.launcher = LocalLauncher(folder / "run")

    def make_key(self) -> None:
        self.key_file.touch(mode=0o600)
        self.key_file.write_text(secrets.token_hex(32))

    def call(self, action: str, parcel: str | None = None, *, key: str = "abc123") -> tuple[int, str]:
        """Call the agent; its exit code and its complaint."""
        done = subprocess.run(
            [str(AGENT), action],
            env={
                "PATH": os.environ["PATH"],
                "OCF_ROOT": "/usr/lib/ocf",
                "OCF_RESOURCE_INSTANCE": f"stream-{key}",
                "OCF_RESKEY_job": self.parcel if parcel is None else parcel,
                "OCF_RESKEY_settings": str(self.settings),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stderr

    def worker_pid(self) -> int | None:
        worker = self.launcher.adopt("abc123")
        return None if worker is None else worker.pid


@pytest.fixture
def host() -> Iterator[Host]:
    with tempfile.TemporaryDirectory(prefix="mcr-") as folder:
        made = Host(Path(folder))
        yield made
        assert made.call("stop")[0] == Code.SUCCESS
        assert made.worker_pid() is None


def test_it_passes_ocf_tester(host: Host) -> None:
    argv = [
        "ocf-tester",
        "-n",
        "stream-abc123",
        "-o",
        f"job={host.parcel}",
        "-o",
        f"settings={host.settings}",
        str(AGENT),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_worker_that_freezes_is_a_fault_and_stop_ends_it(host: Host) -> None:
    assert host.call("start")[0] == Code.SUCCESS
    pid = host.worker_pid()
    assert pid is not None
    assert host.call("monitor")[0] == Code.SUCCESS
    os.kill(pid, signal.SIGSTOP)
    answer, why = host.call("monitor")
    assert (answer, f"process {pid}" in why) == (Code.ERR_GENERIC, True)
    assert host.call("stop")[0] == Code.SUCCESS
    assert not is_alive(pid)
    assert host.call("monitor")[0] == Code.NOT_RUNNING


def test_without_a_web_process_a_monitor_starts_a_dead_worker_again(host: Host) -> None:
    assert host.call("start")[0] == Code.SUCCESS
    first = host.worker_pid()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not is_alive(first), deadline_s=5, what="the end of the worker")
    assert host.call("monitor")[0] == Code.SUCCESS
    assert host.worker_pid() not in (None, first)


def test_the_passphrase_is_in_no_argument_variable_or_parcel(host: Host) -> None:
    assert PASSPHRASE not in host.parcel
    assert host.call("start")[0] == Code.SUCCESS
    process = Path(f"/proc/{host.worker_pid()}")
    seen = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    assert PASSPHRASE.encode() not in seen
    assert all(
        PASSPHRASE.encode() not in path.read_bytes() for path in (host.folder / "run").iterdir() if path.is_file()
    )
    assert unpack(host.parcel, read_fleet_key(host.key_file)).spec == host.job.spec


def test_another_fleets_key_a_missing_file_and_a_changed_parameter_are_refused_each_in_its_words(host: Host) -> None:
    cipher = read_fleet_key(host.key_file)
    missing = pack(msgspec.structs.replace(host.job, file_path="/no/such.ts"), cipher)
    foreign = pack(msgspec.structs.replace(host.job, key="other"), cipher)
    newer = host.parcel.replace('"latency_ms":200', '"latency_ms":200,"a_later_setting":7')
    expected = [
        (missing, Code.ERR_INSTALLED, "/no/such.ts is not on this host; copy it there"),
        (foreign, Code.ERR_ARGS, "belongs to stream other"),
        ("{", Code.ERR_ARGS, "order the stream again"),
        (newer, Code.ERR_ARGS, "a_later_setting"),
        (host.parcel.replace('"bind_address":""', '"bind_address":"x?mode=caller"'), Code.ERR_ARGS, "is not numeric"),
    ]
    for parcel, code, words in expected:
        answer, why = host.call("start", parcel)
        assert (answer, words in why) == (code, True), why
    host.make_key()
    answer, why = host.call("start")
    assert (answer, "is not the key that the passphrase was encrypted with" in why) == (Code.ERR_PERM, True)
    host.key_file.chmod(0o644)
    assert host.call("validate-all")[0] == Code.ERR_PERM
    assert host.worker_pid() is None


def test_a_start_that_this_host_cannot_do_fails_and_leaves_nothing(host: Host) -> None:
    assert host.call("start")[0] == Code.SUCCESS
    other = host.parcel.replace("abc123", "def456")
    answer, why = host.call("start", other, key="def456")
    assert (answer, "port_in_use" in why) == (Code.ERR_GENERIC, True), why
    assert host.launcher.adopt("def456") is None
