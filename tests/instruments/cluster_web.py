"""The web processes of a cluster's hosts with LAUNCHER=pacemaker. Tests use their API from inside each host."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from app.fleet.agent import SETTINGS_FILE
from tests.instruments.child import ROOT
from tests.instruments.cluster import ClusterNode
from tests.instruments.cluster_streams import Fleet
from tests.instruments.netns import connect_within
from tests.instruments.waiting import wait_for

_PORT: Final = 5000
_ANSWER_WITHIN_S: Final = 20.0
_PROGRAM: Final = ROOT / "wsgi.py"


class Web:
    """The web process of one host."""

    def __init__(self, node: ClusterNode) -> None:
        self.node = node
        self._api_key = secrets.token_hex(16)

    def launch(self) -> None:
        """Start the web process with the settings of its host."""
        settings = (self.node.folder / SETTINGS_FILE.lstrip("/")).read_text()
        environment = dict(line.partition("=")[::2] for line in settings.splitlines())
        environment |= {
            "PATH": os.environ["PATH"],
            "HOME": str(self.node.folder),
            "HOST": "127.0.0.1",
            "PORT": str(_PORT),
            "API_KEY": self._api_key,
            "LOG_FILE": str(self.node.folder / "web.log"),
            "OFFLINE": "1",
        }
        self._child = self.node.start([sys.executable, _PROGRAM], environment)

    def pid(self) -> int:
        """Return the process id in the test's PID namespace, or 0 if the web process does not run."""
        return next((pid for pid in self.node.processes() if _runs_web(pid)), 0)

    def kill(self) -> None:
        """Kill the web process with SIGKILL and wait for its end."""
        os.kill(self.pid(), signal.SIGKILL)
        wait_for(lambda: not self.pid(), deadline_s=5, what="the end of the web process")

    def ask(self, method: str, path: str, document: Any = None) -> Any:
        """Send a request with the API key and return the answer's JSON. Raises AssertionError if it is refused."""
        connection = _Within(self.node.pid)
        body = None if document is None else json.dumps(document)
        headers = {"Authorization": f"Bearer {self._api_key}", "Content-Type": "application/json"}
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            text = answer.read()
        assert answer.status < 300, (method, path, answer.status, text)
        return json.loads(text) if text else None

    def wait_until_answers(self, *, deadline_s: float) -> None:
        """Wait until the API of this web process answers."""

        def answers() -> bool:
            with contextlib.suppress(OSError):
                return isinstance(self.ask("GET", "/api/streams"), dict)
            return False

        wait_for(answers, deadline_s=deadline_s, what=f"the web process of {self.node.name}: {self._complaints()}")

    def _complaints(self) -> str:
        log = self.node.folder / "web.log"
        return f"{self._child.complaints()[-1000:]} {log.read_text()[-2000:] if log.exists() else ''}"

    def seen(self) -> dict[str, tuple[str, str]]:
        """Return the host and phase of each stream as this host's API reports them; empty while it does not answer."""
        try:
            views = self.ask("GET", "/api/streams")["streams"]
        except OSError:
            return {}
        return {view["key"]: (view["host"] or self.node.name, view["phase"]) for view in views}

    def wait_until_seen(self, expected: dict[str, tuple[str, str]], *, deadline_s: float) -> float:
        """Wait until the API shows exactly these streams. Return the seconds that this took."""
        began = time.monotonic()
        last: list[object] = []

        def shows() -> bool:
            last[:] = [self.seen()]
            return last[0] == expected

        try:
            wait_for(shows, deadline_s=deadline_s, what="the streams on a host's page")
        except AssertionError as error:
            text = f"{error}; expected {expected}, {self.node.name} shows {last}; {self._complaints()}"
            raise AssertionError(text) from None
        return time.monotonic() - began


@contextlib.contextmanager
def webs_of(fleet: Fleet) -> Iterator[list[Web]]:
    """Start the web process of every host and yield when all of them answer. They end with their hosts."""
    webs = [Web(node) for node in fleet.cluster.nodes]
    for web in webs:
        web.launch()
    for web in webs:
        web.wait_until_answers(deadline_s=30)
    yield webs


def _runs_web(pid: int) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        return str(_PROGRAM).encode() in command and command.startswith(sys.executable.encode())
    except OSError:
        return False


class _Within(http.client.HTTPConnection):
    """An HTTP connection to 127.0.0.1 in the network namespace of a process."""

    def __init__(self, pid: int) -> None:
        super().__init__("127.0.0.1", _PORT)
        self._pid = pid

    def connect(self) -> None:
        self.sock = connect_within(self._pid, (self.host, self.port), timeout_s=_ANSWER_WITHIN_S)
