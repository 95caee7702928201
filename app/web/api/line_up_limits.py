"""The JSON API of named limits, by which line-up tests are judged."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from flask import Blueprint, Response

from app.domain.errors import InvalidInput
from app.domain.lineup.limits import parse_saved_limits
from app.web.errors import json_response
from app.web.requests import read_json
from app.web.services import services

line_up_limits = Blueprint("line_up_limits", __name__, url_prefix="/api/line-up-limits")


@line_up_limits.get("")
def list_limits() -> Response:
    """Return the saved limits, by name."""
    return json_response({"limits": services().limits_book.all()})


@line_up_limits.post("")
def save_limits() -> Response:
    """Save limits in place of those with the same names: all of them, or none."""
    limits = parse_saved_limits(read_json())
    services().limits_book.keep(limits)
    return json_response({"limits": limits}, 201)


@line_up_limits.delete("/<name>")
def remove_limits(name: str) -> Response:
    """Delete saved limits; reports keep theirs."""
    services().limits_book.remove(name)
    return Response(status=204)


def with_saved_limits(document: object) -> object:
    """Return the plan with the saved limits that it names. Limits in the plan itself take precedence."""
    name = document.get("limits_name") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not name or not isinstance(name, str):
        return document
    saved = services().limits_book.find(name)
    if saved is None:
        raise InvalidInput.of({"limits_name": f"no limits are saved as {name[:40]!r}; choose others or save them"})
    stated = document.get("limits", {})
    if not isinstance(stated, dict):
        return document
    known = cast(dict[str, Any], msgspec.to_builtins(saved.limits))
    limits = known | stated
    return {**document, "limits": limits, "limits_name": name if limits == known else f"{name}, changed"}
