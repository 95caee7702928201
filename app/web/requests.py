"""Reads values from a request: a JSON body, a number in the query."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import request

from app.domain.errors import InvalidInput
from app.domain.spec.fields import Setting


def read_json() -> Any:
    """Return the request's body as decoded JSON. Raises InvalidInput if it is not JSON."""
    try:
        return msgspec.json.decode(request.get_data())
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise InvalidInput("The body is not JSON.", {"body": "send one JSON object"}) from None


def read_setting(name: str, setting: Setting) -> int:
    """Read a number in the query that is a setting of a spec, within its bounds; its default if it is missing."""
    return read_number(name, default=setting.default, low=setting.low or 0, high=setting.high or 0)


def read_number(name: str, *, default: int, low: int, high: int) -> int:
    """Read a whole number from the query. Raises InvalidInput outside its bounds."""
    text = request.args.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 11 and low <= int(text) <= high):
        raise InvalidInput.of({name: f"send a whole number from {low} to {high}"})
    return int(text)
