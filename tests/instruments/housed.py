"""A running product in a separate network namespace, as on another host. Tests use its API from inside."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path
from typing import Any, Final

from tests.instruments.child import Child
from tests.instruments.netns import Namespace, connect_within
from tests.instruments.product import Answer, Product

_ANSWER_WITHIN_S: Final = 20.0


class HousedProduct(Product):
    """A Product whose web process and workers run in the namespace `house`."""

    def __init__(self, house: Namespace, sample: Path, **environment: str) -> None:
        self._house = house
        super().__init__(sample, **environment)

    def _launch(self) -> Child:
        self.within = self._house.enter
        return super()._launch()

    def request(self, method: str, path: str, body: bytes | None = None, *, key: str | None = None) -> Answer:
        """Send a request from inside the namespace. `key` replaces the right API key; an empty `key` sends none."""
        headers = {} if key == "" else {"Authorization": f"Bearer {key or self.api_key}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        began = time.monotonic()
        address = ("127.0.0.1", self.port)
        connection.sock = connect_within(self._house.pid, address, timeout_s=_ANSWER_WITHIN_S)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        took_s = time.monotonic() - began
        return Answer(answer.status, _document(content), content, took_s, dict(answer.getheaders()))


def _document(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
