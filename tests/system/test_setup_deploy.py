"""What operations install: units, kernel settings, metrics examples, the scripts themselves."""

from __future__ import annotations

import grp
import json
import os
import pwd
import re
import subprocess
from pathlib import Path

import pytest

from app.web.presenters.metrics import StreamCollector
from tests.instruments.product import Product
from tests.instruments.waiting import free_port, wait_for

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = ("mcr-srt-streamer.service", "network-tuning.service")
SCRIPTS = sorted(
    [
        *(ROOT / name for name in ("run.sh", "test.sh", "mcr", "network-tuning.sh", ".ci/run")),
        *(ROOT / "scripts").glob("*.sh"),
        *DEPLOY.glob("*.sh"),
    ]
)


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_nothing_wrong_with_a_unit(unit: str, tmp_path: Path) -> None:
    program = tmp_path / "current"
    (program / ".venv" / "bin").mkdir(parents=True)
    for name in (".venv/bin/python", "wsgi.py", "network-tuning.sh"):
        (program / name).touch(mode=0o755)
    for each in UNITS:
        text = (DEPLOY / each).read_text().replace("/opt/mcr-srt-streamer", str(tmp_path))
        # The manual pages of this test's folder are not there.
        (tmp_path / each).write_text(re.sub(r"(?m)^Documentation=.*\n", "", text))
    done = subprocess.run(["systemd-analyze", "verify", tmp_path / unit], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_service_is_exposed_to_little() -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", DEPLOY / UNITS[0]],
        capture_output=True,
        text=True,
        check=True,
    )
    (exposure,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert float(exposure) <= 2.0


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing_wrong_with_a_script(script: Path) -> None:
    done = subprocess.run(["shellcheck", "-x", script], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


class Kernel:
    """A folder that is /proc/sys to network-tuning.sh."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        for name, value in settings.items():
            path = folder / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(value + "\n")

    def tune(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ROOT / "network-tuning.sh", *arguments],
            env={**os.environ, "PROC_SYS": str(self.folder)},
            capture_output=True,
            text=True,
        )

    def read(self, name: str) -> str:
        return (self.folder / name).read_text().strip()


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(
        tmp_path,
        net__core__rmem_max="212992",
        net__core__wmem_max="33554432",
        net__ipv4__conf__all__rp_filter="1",
        net__ipv4__ping_group_range="1\t0",
    )


def test_kernel_settings_that_are_too_low_are_raised_and_higher_ones_kept(kernel: Kernel) -> None:
    done = kernel.tune()
    assert done.returncode == 0
    assert kernel.read("net/core/rmem_max") == "16777216"
    assert kernel.read("net/core/wmem_max") == "33554432"
    assert "changed  net.core.rmem_max = 212992 -> 16777216: " in done.stdout
    assert done.stdout.endswith("3 changed\n")


@pytest.mark.parametrize(("everywhere", "card", "after"), [("0", "0", "0"), ("0", "1", "2"), ("2", "2", "2")])
def test_only_strict_filtering_is_loosened(tmp_path: Path, everywhere: str, card: str, after: str) -> None:
    kernel = Kernel(tmp_path, net__ipv4__conf__all__rp_filter=everywhere, net__ipv4__conf__eth0__rp_filter=card)
    assert ("rp_filter = 0 -> 2" in kernel.tune().stdout) == (after != everywhere)
    assert kernel.read("net/ipv4/conf/all/rp_filter") == after


def test_a_second_run_changes_no_kernel_setting(kernel: Kernel) -> None:
    kernel.tune()
    again = kernel.tune()
    assert "changed " not in again.stdout
    assert again.stdout.endswith("0 changed\n")


def test_a_setting_that_the_kernel_lacks_is_skipped_with_a_word(kernel: Kernel) -> None:
    assert "skip     net.core.netdev_max_backlog: " in kernel.tune().stdout


def test_a_dry_run_says_what_it_would_change_and_changes_nothing(kernel: Kernel) -> None:
    done = kernel.tune("--dry-run")
    assert "would    net.core.rmem_max = 212992 -> 16777216: " in done.stdout
    assert kernel.read("net/core/rmem_max") == "212992"


def test_the_installer_says_what_it_would_do_and_does_nothing(tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    done = subprocess.run(
        [DEPLOY / "install.sh", "--dry-run", "--prefix", prefix], capture_output=True, text=True, check=True
    )
    assert f"making the release {prefix}/releases/" in done.stderr
    assert "useradd" in done.stdout
    assert not prefix.exists()


def test_the_installer_refuses_a_prefix_that_a_unit_could_not_hold(tmp_path: Path) -> None:
    done = subprocess.run(
        [DEPLOY / "install.sh", "--dry-run", "--prefix", tmp_path / "two words"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "--prefix" in done.stderr


def test_alerts_and_dashboard_use_metrics_that_are_served() -> None:
    served = {family.name + ("_total" if family.type == "counter" else "") for family in StreamCollector([]).collect()}
    texts = [path.read_text() for path in (DEPLOY / "prometheus").iterdir()]
    texts.append((DEPLOY / "grafana" / "mcr-srt-streamer.json").read_text())
    used = {name for text in texts for name in re.findall(r"\bsrt_(?:stream|peer)_\w+", text)}
    assert used, "the pattern still finds how metrics are used"
    assert used <= served
    assert json.loads(texts[-1])["panels"]


def test_after_logrotate_the_program_writes_on_in_the_emptied_file(product: Product, tmp_path: Path) -> None:
    log = product.log_file
    text = (DEPLOY / "logrotate.conf").read_text()
    assert "su mcr-srt mcr-srt" in text
    user, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    rules = tmp_path / "rules"
    rules.write_text(
        text.replace("/var/log/srt-streamer/srt_streamer.log", str(log)).replace("mcr-srt mcr-srt", f"{user} {group}")
    )
    rules.chmod(0o644)
    before = log.read_bytes()
    assert before
    argv = ["logrotate", "--force", "--state", str(tmp_path / "state"), str(rules)]
    path = f"{os.environ['PATH']}:/usr/sbin"
    done = subprocess.run(argv, env={**os.environ, "PATH": path}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    (kept,) = log.parent.glob("srt_streamer.log-*")
    assert kept.read_bytes().startswith(before)
    begun = product.post("/api/network-tests", {"mode": "manual", "host": "127.0.0.1", "port": free_port()})
    output = f"network test ended test={begun.document['id']}"
    wait_for(lambda: output in log.read_text(), deadline_s=30, what="a new line in the emptied file")
    assert b"\0" not in log.read_bytes(), "a file that was written on at its old length"
    assert before not in log.read_bytes()
    kept.unlink()
