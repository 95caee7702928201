"""What comes in with a request, as values: a JSON body, a number of the query."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import request

from app.domain.errors import InvalidInput
from app.domain.spec.fields import Setting


def read_json() -> Any:
    """The request's body as decoded JSON; raises InvalidInput when it is none."""
    try:
        return msgspec.json.decode(request.get_data())
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise InvalidInput("The body is not JSON.", {"body": "send one JSON object"}) from None


def read_setting(name: str, setting: Setting) -> int:
    """Read a number of the query that is a setting of a spec, within its bounds; its default when it is left out."""
    return read_number(name, default=setting.default, low=setting.low or 0, high=setting.high or 0)


def read_number(name: str, *, default: int, low: int, high: int) -> int:
    """A whole number from the query; raises InvalidInput outside its bounds."""
    text = request.args.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 11 and low <= int(text) <= high):
        raise InvalidInput.of({name: f"give a whole number from {low} to {high}"})
    return int(text)
