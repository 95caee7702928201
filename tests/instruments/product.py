"""A running product in separate folders, started as a user starts it. Tests use its JSON API."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import secrets
import shutil
import signal
import socket
import struct
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.instruments.child import ROOT, Child, is_alive
from tests.instruments.gst_registry import give_registry
from tests.instruments.waiting import free_port, free_ports, wait_for

View = dict[str, Any]
SAMPLE_NAME = "bars.ts"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. `document` is its JSON, or None if the body is not JSON."""

    status: int
    document: Any
    body: bytes
    took_s: float
    headers: dict[str, str]

    def error_fields(self) -> dict[str, str]:
        """Return the fields that an error answer names, with their messages."""
        return dict(self.document["error"]["fields"])


class Product:
    """A running product with `sample` in its media folder: `with Product(sample) as product:`."""

    def __init__(self, sample: Path, tree: Path = ROOT, /, **environment: str) -> None:
        """Create the folders and start the product in `tree`. `environment` adds or replaces variables."""
        self.tree = tree
        # A short path: the path of a Unix socket has 108 bytes at most.
        self.folder = Path(tempfile.mkdtemp(prefix="mcr-"))
        for name in ("media", "data", "runtime", "log"):
            (self.folder / name).mkdir()
        give_registry(self.folder / "runtime")
        self.media = self.folder / "media"
        self.log_file = self.folder / "log" / "srt_streamer.log"
        shutil.copy(sample, self.media / SAMPLE_NAME)
        self.api_key = secrets.token_hex(16)
        self.port = free_port()
        self.listener_ports = free_ports(12)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "SECRET_KEY": secrets.token_hex(32),
            "API_KEY": self.api_key,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "MEDIA_FOLDER": str(self.media),
            "DATA_FOLDER": str(self.folder / "data"),
            "RUNTIME_FOLDER": str(self.folder / "runtime"),
            "LOG_FILE": str(self.log_file),
            "LISTENER_PORTS": f"{self.listener_ports.start}-{self.listener_ports.stop - 1}",
            "OFFLINE": "1",
        } | environment
        self.within: Sequence[str] = ()  # a command prefix, see SmallDisk.enter
        self.web = self._launch()

    def _launch(self) -> Child:
        web = Child([*self.within, sys.executable, "wsgi.py"], env=self.environment, cwd=self.tree)

        def answers() -> bool:
            if not web.is_running():
                raise AssertionError(f"the product ended at once: {web.complaints()}{web.output()}")
            with contextlib.suppress(OSError):
                return self.get("/health").status in (200, 503)  # 503 reports a problem, but it is an answer
            return False

        wait_for(answers, deadline_s=30, what="an answer of /health")
        return web

    def get(self, path: str) -> Answer:
        """Send a GET request with the API key."""
        return self.request("GET", path)

    def post(self, path: str, document: Any = None) -> Answer:
        """Send a POST request with the API key. The document is sent as JSON, bytes are sent unchanged."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.request("POST", path, body)

    def put(self, path: str, document: Any) -> Answer:
        """Send a PUT request with JSON and the API key."""
        return self.request("PUT", path, json.dumps(document).encode())

    def delete(self, path: str) -> Answer:
        """Send a DELETE request with the API key."""
        return self.request("DELETE", path)

    def request(self, method: str, path: str, body: bytes | None = None, *, key: str | None = None) -> Answer:
        """Send a request. `key` replaces the right API key; an empty `key` sends none."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body, method=method)
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if key != "":
            request.add_header("Authorization", f"Bearer {key or self.api_key}")
        start = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                status, answer, headers = response.status, response.read(), dict(response.headers)
        except urllib.error.HTTPError as error:
            with error:
                status, answer, headers = error.code, error.read(), dict(error.headers)
        took_s = time.monotonic() - start
        try:
            document = json.loads(answer)
        except ValueError:
            document = None
        return Answer(status, document, answer, took_s, headers)

    def document(self, **changes: Any) -> dict[str, Any]:
        """Return a valid POST document for a listener on a free port, with fields replaced."""
        document: dict[str, Any] = {
            "source": {"kind": "file", "path": SAMPLE_NAME, "loop": True},
            "latency_ms": 200,
            "qos": False,
        } | changes
        if "endpoint" not in document:
            document["endpoint"] = {"mode": "listener", "port": self.free_listener_port()}
        return document

    def free_listener_port(self) -> int:
        """Return a listener port that no stream of the product uses."""
        used = {view["spec"]["endpoint"]["port"] for view in self.streams()}
        return next(port for port in self.listener_ports if port not in used)

    def start(self, **changes: Any) -> View:
        """Start a stream and return its view."""
        answer = self.post("/api/streams", self.document(**changes))
        assert answer.status == 201, (answer.status, answer.document)
        return dict(answer.document)

    def streams(self) -> list[View]:
        """Return the views of all streams."""
        return list(self.get("/api/streams").document["streams"])

    def stream(self, key: str) -> View:
        """Return the view of one stream."""
        return dict(self.get(f"/api/streams/{key}").document)

    def wait_for_stream(self, key: str, condition: Callable[[View], Any], *, deadline_s: float = 10) -> View:
        """Wait until the stream's view satisfies `condition`, and return the view."""
        seen: list[View] = []

        def holds() -> bool:
            seen[:] = [self.stream(key)]
            return bool(condition(seen[0]))

        try:
            wait_for(holds, deadline_s=deadline_s, what="the condition on a stream", every_s=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}; last view: {seen}") from None
        return seen[0]

    def wait_for_phase(self, key: str, *phases: str, deadline_s: float = 10) -> View:
        """Wait until the stream is in one of these phases, and return its view."""
        return self.wait_for_stream(key, lambda view: view["phase"] in phases, deadline_s=deadline_s)

    def dismiss(self, key: str) -> None:
        """Take a stream off air and delete it. The stream may already be deleted."""
        answer = self.delete(f"/api/streams/{key}")
        assert answer.status in (200, 204, 404), (answer.status, answer.body)

    def dismiss_all(self) -> None:
        """Take all streams off air and delete them."""
        for view in self.streams():
            self.dismiss(view["key"])

    def worker_pids(self) -> list[int]:
        """Return the ids of the processes that listen on sockets of the runtime folder, as the kernel reports them."""
        return [pid for path in (self.folder / "runtime").glob("*.sock") if (pid := _owner(path))]

    def kill_web(self) -> None:
        """Send SIGKILL to the web process: the streams must not be affected."""
        self.web.kill()

    def restart_web(self) -> None:
        """Start the web process again, with the same folders and port."""
        self.web = self._launch()

    def close(self) -> None:
        """Stop the product as an operator does, kill workers that are left, and remove the folders."""
        self.web.close(deadline_s=20)
        for pid in self.worker_pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            wait_for(functools.partial(_is_gone, pid), deadline_s=5, what=f"the end of worker {pid}")
        shutil.rmtree(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _is_gone(pid: int) -> bool:
    return not is_alive(pid)


def _owner(path: Path) -> int | None:
    """Return the id of the process that listens on a Unix socket (SO_PEERCRED), or None if no process does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return None
        pid, _, _ = struct.unpack("@iII", probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return int(pid)
