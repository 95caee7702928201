"""Turns every error into an answer: JSON for programs, a page for people. No other module writes these texts.

The JSON is `{"error": {"code", "message", "fields"}}`, with `reason` next to them if a stream could not start.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import msgspec
from flask import Flask, Response, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from app.domain.errors import (
    CouldNotStart,
    LimitReached,
    NameTaken,
    NotFound,
    PortInUse,
    ProductError,
    StreamsDoNotAnswer,
    WrongState,
)
from app.machine.named_entries import EntriesNotKept
from app.media.patience import MediaDoesNotAnswer
from app.store.unavailable import StoreUnavailable

log = logging.getLogger(__name__)

BODY_BYTES_MAX: Final = 64 * 1024
_RETRY_AFTER_S: Final = 60
_MESSAGES: Final = {
    400: "This request is not valid.",
    401: "A session of this host's pages or the right API key is needed.",
    403: "This is not allowed.",
    404: "There is nothing at this address.",
    405: "This address does not support that method.",
    413: "The request is too large.",
    429: "Too many changes were requested from this address. Wait as long as Retry-After says.",
    500: "The server had an internal error and has logged it.",
}
_CODES: Final = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    429: "too_many_requests",
    500: "internal_error",
}


class Unauthorized(ProductError):
    """The request has neither a session with its token nor the right API key."""

    code = "unauthorized"


class TooManyWrongKeys(ProductError):
    """An address sent too many wrong API keys."""

    code = "too_many_requests"


class UntrustedHost(ProductError):
    """The request names a host that is not this server."""

    code = "untrusted_host"


# The status of each class of error; a subclass has that of its nearest base. Other errors of operators are 400.
_STATUS: Final[dict[type[ProductError], int]] = {
    Unauthorized: 401,
    NotFound: 404,
    PortInUse: 409,
    NameTaken: 409,
    LimitReached: 409,
    WrongState: 409,
    CouldNotStart: 422,
    TooManyWrongKeys: 429,
    StreamsDoNotAnswer: 503,
    MediaDoesNotAnswer: 503,
    EntriesNotKept: 503,
}


def status_of(error: ProductError) -> int:
    """Return the HTTP status of an error."""
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 400)


def register_error_handlers(app: Flask) -> None:
    """Answer every error of `app` in the product's form."""
    app.register_error_handler(ProductError, _product_error)
    app.register_error_handler(UntrustedHost, _untrusted_host)
    app.register_error_handler(StoreUnavailable, _store_unavailable)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unforeseen)


def json_response(document: object, status: int = 200) -> Response:
    """Return a document or view as a JSON answer."""
    return Response(msgspec.json.encode(document), status=status, mimetype="application/json")


def wants_json() -> bool:
    """Return whether the client is a program: it called a path under /api, or prefers JSON to a page."""
    if request.path.startswith(("/api/", "/metrics", "/health")):
        return True
    accepted = request.accept_mimetypes
    return accepted["application/json"] > accepted["text/html"]


def error_response(
    status: int, code: str, message: str, *, fields: Mapping[str, str] | None = None, reason: str | None = None
) -> Response:
    """Return the error as JSON or as a page, depending on the client."""
    if wants_json():
        error = {"code": code, "message": message, "fields": dict(fields or {})}
        if reason is not None:
            error["reason"] = reason
        response = json_response({"error": error}, status)
    else:
        title = HTTPStatus(status).phrase
        response = make_response(render_template("error.html", status=status, title=title, message=message), status)
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _product_error(error: ProductError) -> Response:
    reason = error.reason if isinstance(error, CouldNotStart) else None
    status = status_of(error)
    response = error_response(status, error.code, error.message, fields=error.fields, reason=reason)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        response.headers["Retry-After"] = str(_RETRY_AFTER_S)
    return response


def _store_unavailable(error: StoreUnavailable) -> Response:
    return error_response(503, EntriesNotKept.code, f"The stored data cannot be read at present: {error}.")


def _untrusted_host(error: UntrustedHost) -> Response:
    if wants_json():
        return _product_error(error)
    # Not a page, because a page would set a session and its token.
    return Response(f"{error.message}\n", status=status_of(error), mimetype="text/plain")


def _csrf_error(error: CSRFError) -> Response:
    if request.path.startswith("/api/"):
        return error_response(401, "unauthorized", _MESSAGES[401])
    message = "This page has lost its session, so nothing was changed. Load it again and repeat the action."
    return error_response(400, "session_lost", message)


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        # Redirects are exceptions in Werkzeug, and not errors.
        return make_response(error.get_response())
    message = _MESSAGES.get(status, HTTPStatus(status).phrase)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        # A view may allow a larger body than the rest of the program.
        message = f"This request may have at most {(request.max_content_length or BODY_BYTES_MAX) // 1024} KiB."
    response = error_response(status, _CODES.get(status, "error"), message)
    if allowed := getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _unforeseen(error: Exception) -> Response:
    # The last web handler: no other code would answer. The text of the error goes to the log only.
    log.error("request failed method=%s path=%r", request.method, request.path, exc_info=error)
    return error_response(500, _CODES[500], _MESSAGES[500])
