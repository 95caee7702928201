"""A real NGINX in front of a product, with a site of deploy/nginx."""

from __future__ import annotations

import base64
import http.client
import os
import re
import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.instruments.child import ROOT, Child
from tests.instruments.product import Product
from tests.instruments.waiting import free_port, wait_for

PASSWORD = "a password of this test"
_SHIPPED = ROOT / "deploy" / "nginx"


@dataclass(frozen=True)
class Page:
    """An HTTP answer that came through the proxy."""

    status: int
    body: bytes
    headers: dict[str, str]


class Nginx:
    """Serves `site` of deploy/nginx for a product: `with Nginx(product, folder, "mcr-srt-streamer.conf") as nginx:`.

    Only paths, ports and the product's address are replaced, and the IPv6 listeners are removed. The rest is unchanged.
    """

    def __init__(self, product: Product, folder: Path, site: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.tls_port = free_port()
        self._scheme = "https" if "tls" in site else "http"
        self._make_password()
        if self._scheme == "https":
            self._make_certificate()
        own = {
            "127.0.0.1:5000": f"127.0.0.1:{product.port}",
            "/opt/mcr-srt-streamer/current/deploy/nginx": str(folder),
            "/opt/mcr-srt-streamer/current": str(ROOT),
            "/etc/nginx": str(folder),
            "listen 80 ": f"listen 127.0.0.1:{self.port} ",
            "listen 443 ": f"listen 127.0.0.1:{self.tls_port} ",
        }
        for name in (site, "locations.inc"):
            text = re.sub(r"\n *listen \[::\][^;]*;", "", (_SHIPPED / name).read_text())
            for shipped, here in own.items():
                text = text.replace(shipped, here)
            (folder / name).write_text(text)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        spools = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
        # One process, run by this user: the static files are in a checkout that other users may not be able to read.
        self.config = folder / "nginx.conf"
        self.config.write_text(
            f"daemon off; master_process off; pid {folder}/pid; error_log stderr; events {{}}\n"
            f"http {{ access_log off; include /etc/nginx/mime.types; {spools} include {folder}/{site}; }}\n"
        )
        found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        assert found, "nginx is installed by test.sh"
        self._program = found

    def __enter__(self) -> Self:
        """Start NGINX and wait until it answers."""
        self._child = Child([self._program, "-c", self.config])

        def serves() -> bool:
            assert self._child.is_running(), self._child.complaints()
            try:
                return self.get("/health").status in (200, 503)
            except OSError:
                return False

        wait_for(serves, deadline_s=10, what="an answer through NGINX")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End NGINX."""
        self._child.close()

    def complaints_about_its_configuration(self) -> str:
        """Return the warnings of `nginx -t`, empty without any. Raises AssertionError if it fails."""
        done = subprocess.run([self._program, "-t", "-q", "-c", self.config], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def get(self, path: str, *, password: str = "", from_address: str = "127.0.0.1", **headers: str) -> Page:
        """Send a GET request, over HTTPS if the site has it."""
        return self.request("GET", path, body=None, password=password, from_address=from_address, **headers)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        password: str = "",
        from_address: str = "127.0.0.1",
        **headers: str,
    ) -> Page:
        """Send a request from an address of this host. Underscores in header names stand for hyphens."""
        connection: http.client.HTTPConnection
        if self._scheme == "https":
            context = ssl.create_default_context(cafile=self.folder / "mcr-srt-streamer.crt")
            connection = http.client.HTTPSConnection(
                "127.0.0.1", self.tls_port, timeout=20, source_address=(from_address, 0), context=context
            )
        else:
            connection = self.plain_connection(from_address)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if password:
            sent["Authorization"] = "Basic " + base64.b64encode(f"operator:{password}".encode()).decode()
        return self._exchange(connection, method, path, body, sent)

    def plain_get(self, path: str) -> Page:
        """Send a GET request over HTTP, also if the site has HTTPS."""
        return self._exchange(self.plain_connection("127.0.0.1"), "GET", path, None, {})

    def plain_connection(self, from_address: str) -> http.client.HTTPConnection:
        """Return a connection to the site's HTTP port."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20, source_address=(from_address, 0))

    @staticmethod
    def _exchange(
        connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> Page:
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Page(answer.status, answer.read(), dict(answer.headers))
        finally:
            connection.close()

    def _make_password(self) -> None:
        asked = ["openssl", "passwd", "-apr1", "-stdin"]
        digest = subprocess.run(asked, input=PASSWORD, capture_output=True, text=True, check=True).stdout
        (self.folder / "mcr-srt-streamer.htpasswd").write_text(f"operator:{digest}")

    def _make_certificate(self) -> None:
        """Create a certificate with the command of docs/installation.md, for the address of this test."""
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
                *("-addext", "subjectAltName=IP:127.0.0.1"),
                *("-keyout", self.folder / "mcr-srt-streamer.key", "-out", self.folder / "mcr-srt-streamer.crt"),
            ],
            capture_output=True,
            check=True,
        )
