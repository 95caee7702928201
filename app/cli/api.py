"""A small HTTP client for the JSON API, with the standard library only.

It reads HOST, PORT and API_KEY from the environment, or the key that run.sh keeps for a server of this host. The key is
sent in a header only.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final

from app.domain.field_labels import field_label
from app.settings import with_kept_keys

_TIMEOUT_S: Final = 15.0  # a start takes up to 3 s, a restart waits for the old worker to leave first
# A server may listen on every address; a client has to call one.
_ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - replaced, not bound


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Refuses redirects: only the server that was named may receive the key."""

    def redirect_request(self, *_: object) -> None:
        """Report the redirect as an error."""


# Calls the server directly, even if the environment names a proxy.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())


class ServerUnreachable(Exception):
    """No server answers at the address; `str()` names it."""


class Refused(Exception):
    """The server answered with an error. `fields` maps inputs to what is wrong with them."""

    def __init__(self, status: int, code: str, message: str, fields: Mapping[str, str]) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = dict(fields)

    def lines(self) -> list[str]:
        """Return the lines to print: the message, and each field error that the message does not contain."""
        return [
            self.message,
            *(f"  {field_label(name)}: {text}" for name, text in self.fields.items() if text not in self.message),
        ]


class Api:
    """Calls one server. Paths begin with a slash; answers are decoded JSON, None for an empty one."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        host = environ.get("HOST") or "127.0.0.1"
        host = _ANY_ADDRESS.get(host, host)
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{environ.get('PORT') or 5000}"
        self._key = environ.get("API_KEY") or ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Api:
        """Return a client for the server that the environment names; a kept key is for this host only."""
        is_here = environ.get("HOST", "") in ("", "localhost", "127.0.0.1", "::1", *_ANY_ADDRESS)
        return cls(with_kept_keys(environ) if is_here else environ)

    @classmethod
    def at(cls, address: str, key: str) -> Api:
        """Return a client for the server at an address such as `https://host`; an empty `key` sends none."""
        made = cls({"API_KEY": key})
        made.address = address
        return made

    def get(self, path: str) -> Any:
        """Send a GET request. Raises Refused or ServerUnreachable, as the other methods do."""
        return self._call("GET", path)

    def get_text(self, path: str) -> str:
        """Fetch a file that is not JSON."""
        return self._answer("GET", path).decode()

    def post(self, path: str, document: object = None, *, timeout_s: float = _TIMEOUT_S) -> Any:
        """Send a POST request."""
        return self._call("POST", path, document, timeout_s)

    def delete(self, path: str) -> None:
        """Send a DELETE request."""
        self._call("DELETE", path)

    def _call(self, method: str, path: str, document: object = None, timeout_s: float = _TIMEOUT_S) -> Any:
        body = self._answer(method, path, document, timeout_s)
        try:
            return json.loads(body) if body else None
        except ValueError:
            raise ServerUnreachable(f"another program answers at {self.address}: its answer is not JSON") from None

    def _answer(self, method: str, path: str, document: object = None, timeout_s: float = _TIMEOUT_S) -> bytes:
        body = None if document is None else json.dumps(document).encode()
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self.address + path, data=body, headers=headers, method=method)  # noqa: S310
        try:
            with _opener.open(request, timeout=timeout_s) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error) from None
        except (OSError, HTTPException) as error:
            raise ServerUnreachable(f"no server answers at {self.address}: {error}") from None


def _refusal(error: urllib.error.HTTPError) -> Refused:
    """Return the error in an answer. An answer in another form, such as a proxy's page, gives its HTTP status."""
    try:
        shape = json.loads(error.read())["error"]
        return Refused(error.code, shape["code"], shape["message"], shape.get("fields") or {})
    except (ValueError, KeyError, TypeError):
        phrase = HTTPStatus(error.code).phrase if error.code in HTTPStatus._value2member_map_ else "an error"
        return Refused(error.code, "http_error", f"{error.url} answered {error.code} {phrase}", {})
