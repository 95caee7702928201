"""Facts about the host, and warnings about missing programs and faulty versions."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.machine.versions import Versions, ask_versions, missing_programs, warnings_about
from app.media.library import MediaLibrary
from app.media.patience import PatientLibrary
from app.utils import SystemMeter, WorkerMeter, list_interfaces, memory_bytes
from tests.instruments.child import ROOT
from tests.instruments.waiting import wait_for


def test_a_process_is_measured_and_one_that_is_gone_is_unknown() -> None:
    meter = WorkerMeter()

    assert meter.read(os.getpid()).memory_bytes == pytest.approx(memory_bytes(os.getpid()), rel=0.2)
    assert meter.read(2**22 + 1).memory_bytes is None
    assert meter.read(2**22 + 1).cpu_percent is None


def test_the_share_of_the_processor_comes_with_the_second_reading() -> None:
    meter = WorkerMeter()
    assert meter.read(os.getpid()).cpu_percent is None

    share = wait_for(
        lambda: (use := meter.read(os.getpid())).cpu_percent is not None and use,
        deadline_s=10,
        what="a share",
        every_s=0.2,
    )
    assert share.cpu_percent is not None
    assert share.cpu_percent >= 0


def test_the_machine_is_read_even_without_a_media_folder(tmp_path: Path) -> None:
    system = SystemMeter(PatientLibrary(MediaLibrary(tmp_path / "nowhere")).disk_use).read()

    assert 0 < system.memory_used_bytes < system.memory_total_bytes
    assert 0 <= system.disk_used_percent <= 100


def test_loopback_is_listed_last() -> None:
    assert list_interfaces()[-1].is_loopback


@pytest.mark.parametrize(
    ("libsrt", "package", "is_bad"),
    [
        ("1.5.1", "1.5.1-1+deb12u2", False),
        ("1.5.1", "1.5.1-1+deb12u10", False),
        ("1.5.1", "1.5.1-1+deb12u1", True),
        ("1.5.1", None, True),
        ("1.5.4", "1.5.4-1", True),
        ("1.5.4", "1.5.4-1+deb13u1", False),
        ("1.5.7", None, False),
        ("1.6.0", None, False),
    ],
)
def test_a_libsrt_without_its_fixes_is_warned_of(libsrt: str, package: str | None, is_bad: bool) -> None:
    assert bool(warnings_about(Versions("1.22.0", libsrt, package))) is is_bad


@pytest.mark.parametrize(
    ("fixes", "is_bad"), [({"CVE-2026-55868", "CVE-2026-55869", "CVE-2026-1"}, False), ({"CVE-2026-55869"}, True)]
)
def test_a_package_whose_change_log_names_every_fix_is_not_warned_of(fixes: set[str], is_bad: bool) -> None:
    versions = Versions("1.22.0", "1.5.3", "1.5.3-1ubuntu0.2", frozenset(fixes))
    assert bool(warnings_about(versions)) is is_bad


def test_the_change_log_of_the_installed_libsrt_is_read() -> None:
    log = subprocess.run(
        ["sh", "-c", "zcat /usr/share/doc/libsrt1*-gnutls*/changelog.Debian.gz || rpm -q --changelog srt-libs"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert ask_versions().libsrt_fixes == set(re.findall(r"CVE-\d{4}-\d+", log))


def test_a_version_that_is_not_known_is_not_judged() -> None:
    assert warnings_about(Versions()) == []


def test_either_of_two_programs_will_do() -> None:
    assert missing_programs(lambda name: None if name == "ffprobe" else f"/usr/bin/{name}") == []
    assert len(missing_programs(lambda _name: None)) == 3


def test_a_missing_python_module_of_gstreamer_is_named_with_its_remedy() -> None:
    (sentence,) = missing_programs(lambda name: f"/usr/bin/{name}", find_module=lambda _name: None)
    assert "python3-gi is not installed" in sentence
    assert "run.sh" in sentence


def test_the_age_of_a_process_counts_from_its_shell() -> None:
    program = "from app.machine.steady_clock import process_age_s; print(process_age_s())"
    began = time.monotonic()
    command = ["sh", "-c", 'sleep 0.3; exec "$0" -c "$1"', sys.executable, program]
    age_s = float(subprocess.run(command, capture_output=True, text=True, check=True, timeout=20, cwd=ROOT).stdout)
    assert 0.3 <= age_s <= time.monotonic() - began + 0.02  # the kernel counts in ticks of 10 ms
