"""What operations install: units, kernel settings, the NGINX site, metrics examples, the scripts themselves."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.presenters.metrics import StreamCollector
from tests.instruments.child import Child
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
PASSWORD = "a password of this test"


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


class Proxy:
    """NGINX with the shipped site in front of a product."""

    def __init__(self, product: Product, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        site = (DEPLOY / "nginx" / "mcr-srt-streamer.conf").read_text()
        shared = (DEPLOY / "nginx" / "locations.inc").read_text()
        site = re.sub(r"include \S+locations\.inc;", f"include {folder}/locations.inc;", site)
        site = re.sub(r"\n *listen \[::\]:80[^;]*;", "", site).replace("listen 80 ", f"listen 127.0.0.1:{self.port} ")
        site = site.replace("127.0.0.1:5000", f"127.0.0.1:{product.port}")
        (folder / "site.conf").write_text(site)
        shared = shared.replace("/etc/nginx/", f"{folder}/").replace("/opt/mcr-srt-streamer/current", str(ROOT))
        (folder / "locations.inc").write_text(shared)
        digest = subprocess.run(
            ["openssl", "passwd", "-apr1", "-stdin"], input=PASSWORD, capture_output=True, text=True, check=True
        ).stdout
        (folder / "mcr-srt-streamer.htpasswd").write_text(f"operator:{digest}")
        spools = "".join(
            f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        # One process as this user: the static files are read from a checkout that others may not enter.
        self.config = folder / "nginx.conf"
        self.config.write_text(
            f"daemon off; master_process off; pid {folder}/pid; error_log stderr; events {{}}\n"
            f"http {{ access_log off; include /etc/nginx/mime.types; {spools} include {folder}/site.conf; }}\n"
        )

    def get(self, path: str, *, password: str = "", **headers: str) -> tuple[int, bytes, dict[str, str]]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        if password:
            request.add_header("Authorization", "Basic " + base64.b64encode(f"operator:{password}".encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), dict(error.headers)


@pytest.fixture(scope="module")
def proxied(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Product, Proxy]]:
    folder = tmp_path_factory.mktemp("nginx")
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert nginx, "nginx is installed by test.sh"
    with Product(sample) as product:
        proxy = Proxy(product, folder)
        subprocess.run([nginx, "-t", "-q", "-c", proxy.config], check=True)
        with Child([nginx, "-c", proxy.config]) as running:

            def serves() -> bool:
                assert running.is_running(), running.complaints()
                try:
                    return proxy.get("/health")[0] in (200, 503)
                except OSError:
                    return False

            wait_for(serves, deadline_s=10, what="an answer through NGINX")
            yield product, proxy


def test_without_a_password_the_proxy_shows_nothing_but_health(proxied: tuple[Product, Proxy]) -> None:
    _, proxy = proxied
    for path in ("/", "/caller", "/api/streams", "/metrics", "/static/css/style.css"):
        assert proxy.get(path)[0] == 401, path
        assert proxy.get(path, password="wrong")[0] == 401, path
    assert proxy.get("/health")[0] == 200


def test_with_the_password_pages_and_static_files_come_through(proxied: tuple[Product, Proxy]) -> None:
    _, proxy = proxied
    status, page, headers = proxy.get("/", password=PASSWORD)
    assert status == 200
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    (style,) = set(re.findall(rb"/static/css/style\.css\?v=\w+", page))
    status, text, headers = proxy.get(style.decode(), password=PASSWORD)
    assert status == 200
    assert text == (ROOT / "app" / "static" / "css" / "style.css").read_bytes()
    assert "immutable" in headers["Cache-Control"]


def test_the_page_behind_the_proxy_may_poll_the_api(proxied: tuple[Product, Proxy]) -> None:
    _, proxy = proxied
    cookie = proxy.get("/", password=PASSWORD)[2]["Set-Cookie"].split(";")[0]

    def versions() -> object:
        status, body, _ = proxy.get("/api/dashboard", password=PASSWORD, Cookie=cookie)
        assert status == 200
        return json.loads(body)["system"]["gstreamer_version"]

    wait_for(versions, deadline_s=30, what="the versions, which the server asks a child for")


def test_a_script_brings_the_api_key_instead_of_the_password(proxied: tuple[Product, Proxy]) -> None:
    product, proxy = proxied
    for path in ("/api/streams", "/metrics"):
        assert proxy.get(path, Authorization=f"Bearer {product.api_key}")[0] == 200, path
        assert proxy.get(path, Authorization="Bearer wrong")[0] == 401, path
    assert proxy.get("/", Authorization=f"Bearer {product.api_key}")[0] == 401, "a key opens the API, not the pages"


def test_the_proxy_replaces_what_a_client_claims_of_its_address(proxied: tuple[Product, Proxy]) -> None:
    _, proxy = proxied
    shared = (proxy.folder / "locations.inc").read_text()
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in shared
    assert "proxy_add_x_forwarded_for" not in shared
    claimed = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "https"}
    headers = proxy.get("/", password=PASSWORD, **claimed)[2]
    # A request that is believed to have come over HTTPS gets a cookie that is marked so.
    assert "Secure" not in headers["Set-Cookie"]
