"""A dashboard client without a browser: it opens the page and sends the requests of the page's script."""

from __future__ import annotations

import http.client
import re
import threading
import time
from typing import NamedTuple, Self

from tests.instruments.child import ROOT

_SCRIPT = ROOT / "app" / "static" / "js" / "dashboard.js"
INTERVAL_S = int(re.findall(r"POLL_MS = (\d+);", _SCRIPT.read_text())[0]) / 1000
_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


class Poll(NamedTuple):
    """The response time of one poll in milliseconds, and the size of the answer in bytes."""

    took_ms: float
    bytes: int


class Dashboard(threading.Thread):
    """A thread that opens the page, polls once with the history, and polls again INTERVAL_S after each answer."""

    def __init__(self, port: int, *, delay_s: float = 0) -> None:
        """Prepare a dashboard of the product on this port. It opens `delay_s` after the start of the thread."""
        super().__init__(daemon=True)
        self.polls: list[Poll] = []
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self._delay_s = delay_s
        self._closed = threading.Event()

    def run(self) -> None:
        """Open the page and poll until the dashboard is closed."""
        self._closed.wait(self._delay_s)
        page, headers = self._ask("/", {})
        session = headers["Set-Cookie"].partition(";")[0]
        token = _TOKEN.search(page.decode())
        assert token is not None, "a page without a CSRF token"
        own = {"Cookie": session, "X-CSRFToken": token[1], "X-Requested-With": "XMLHttpRequest"}
        own |= {"Accept": "application/json", "Accept-Encoding": "gzip, deflate, br"}
        path = "/api/dashboard?spark=1"
        while not self._closed.is_set():
            start = time.monotonic()
            body, _ = self._ask(path, own)
            self.polls.append(Poll(1000 * (time.monotonic() - start), len(body)))
            path = "/api/dashboard"
            self._closed.wait(INTERVAL_S)
        self._connection.close()

    def _ask(self, path: str, headers: dict[str, str]) -> tuple[bytes, http.client.HTTPMessage]:
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (answer.status, body)
        return body, answer.headers

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._closed.set()
        self.join()
