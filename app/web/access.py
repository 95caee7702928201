"""Decides who may use the server: sessions with their CSRF token, the API key, and security headers.

Every page gives its browser a session. Reading under /api needs that session or the API key. Writing needs the session
with its CSRF token (header X-CSRFToken or form field csrf_token), or the key. A wrong key is refused on every route;
without API_KEY no script has access. Only /health, the API's description and static files are open to all. Without the
key, the server answers only to its own names (hosts.py). A session is not a login: the proxy in front decides who may
open the pages (docs/security.md).
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from typing import Final

from flask import Flask, Request, Response, g, request, session
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect

from app.domain.secret import Secret
from app.web.errors import Unauthorized, UntrustedHost
from app.web.failed_keys import FailedKeys
from app.web.hosts import is_trusted

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: over HTTPS the CSRF check compares the referrer with the host.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_OPEN_ENDPOINTS: Final = frozenset({"static", "operations.health", "operations.openapi"})

csrf = CSRFProtect()


def guard(app: Flask, api_key: Secret | None, names: Collection[str], failed_keys: FailedKeys) -> None:
    """Check every request of `app` before it is served, and set the headers of every answer.

    `names` are the server's names, in addition to its addresses.
    """
    # Checked in `admit`, because a request with the API key has no token.
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    # Pages stay open for days; the token lives as long as its session.
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    app.config["SESSION_COOKIE_NAME"] = "mcr_srt_session"
    app.config["SESSION_COOKIE_HTTPONLY"] = True
    # Not Strict: a request from a link in a chat would have no cookie, and its new session would invalidate open pages.
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.session_interface = _SessionInterface()
    csrf.init_app(app)
    app.before_request(lambda: admit(request, api_key, names, failed_keys))
    app.after_request(_add_headers)


def admit(asked: Request, api_key: Secret | None, names: Collection[str], failed_keys: FailedKeys) -> None:
    """Admit the request, or raise Unauthorized, TooManyWrongKeys or UntrustedHost.

    `g.actor` then names the client and its address, for the event log.
    """
    g.is_scripted = False
    # The address is the client's own: the proxy in front reports it, and what a client claims is ignored.
    g.actor = f"operator at {asked.remote_addr}"
    if asked.endpoint in _OPEN_ENDPOINTS:
        return
    if (token := _bearer_token(asked)) is not None:
        if not _is_right_key(token, api_key):
            failed_keys.check(asked.remote_addr or "")
            failed_keys.count(asked.remote_addr or "")
            raise Unauthorized("The API key is wrong, or API access is disabled (API_KEY is not set).")
        g.is_scripted = True
        g.actor = f"api key at {asked.remote_addr}"
        return
    host = asked.headers.get("Host")
    if host is not None and not is_trusted(host, names):  # every browser sends it
        raise UntrustedHost(
            "This server answers to its own names and addresses only. Open it by its IP address, "
            "or add the name that you used to TRUSTED_HOSTS in its settings."
        )
    if asked.path.startswith(("/api/", "/metrics")) and "csrf_token" not in session:
        raise Unauthorized("Open a page of this host first, or send the API key: Authorization: Bearer …")
    if asked.method not in ("GET", "HEAD", "OPTIONS"):
        csrf.protect()


def is_scripted() -> bool:
    """Return whether the present request has the API key."""
    return bool(g.is_scripted)


def holds_api_key(asked: Request, api_key: Secret | None) -> bool:
    """Return whether a request for an open resource has the right API key."""
    token = _bearer_token(asked)
    return token is not None and _is_right_key(token, api_key)


def _bearer_token(asked: Request) -> str | None:
    """Return the token of a Bearer header; None for other schemes, which belong to a proxy in front."""
    scheme, _, token = asked.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _is_right_key(token: str, api_key: Secret | None) -> bool:
    return api_key is not None and hmac.compare_digest(token.encode(), api_key.reveal().encode())


def _add_headers(response: Response) -> Response:
    response.headers.update(_HEADERS)
    # An error page under /static/ carries a session's cookie, so no cache may keep it.
    if request.endpoint != "static" or response.status_code >= 400:
        response.headers["Cache-Control"] = "no-store"
    return response


class _SessionInterface(SecureCookieSessionInterface):
    """Session cookies that are marked Secure when the request came over HTTPS."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure
