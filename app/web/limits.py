"""Limits how often one client may give orders and start network tests. Reading is not limited: pages poll.

Counted in memory, by address. Behind a proxy on this host, the address is the one that the proxy forwards.
"""

from __future__ import annotations

from typing import Final, cast

from flask import Flask, request
from flask.typing import RouteCallable
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

NETWORK_TESTS: Final = "30 per minute"
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_STARTS_NETWORK_TEST: Final = "network_tests.start_network_test"


def limit_rates(app: Flask, *, writes_per_minute: int) -> None:
    """Answer 429 with Retry-After to a client that requests too often. Call this after all routes are registered."""
    limiter = Limiter(
        get_remote_address,
        app=app,
        application_limits=[f"{writes_per_minute} per minute"],
        application_limits_exempt_when=_is_reading,
        storage_uri="memory://",
        headers_enabled=True,
    )
    views = app.view_functions
    limited = limiter.limit(NETWORK_TESTS)(views[_STARTS_NETWORK_TEST])
    views[_STARTS_NETWORK_TEST] = cast(RouteCallable, limited)


def _is_reading() -> bool:
    return request.method in _READING
