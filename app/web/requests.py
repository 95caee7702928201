"""Reads values from a request: a JSON body, a number in the query, the fields of a form in the query."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from flask import request
from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, SelectField

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


def fill_from_query(form: FlaskForm, names: Collection[str]) -> bool:
    """Set the named fields that the query has; return whether it has any. Raises InvalidInput for an unknown choice."""
    given = {name: text for name, text in request.args.items() if name in names}
    problems = {name: f"use {', '.join(choices)}" for name in given if (choices := _choices(form[name]))}
    if found := {name: text for name, text in problems.items() if given[name] not in _choices(form[name])}:
        raise InvalidInput.of(found)
    for name, text in given.items():
        form[name].data = text == "1" if isinstance(form[name], BooleanField) else text
    return bool(given)


def _choices(field: Field) -> list[str]:
    """Return the values that a field can have in a query; none if it takes any text."""
    if isinstance(field, BooleanField):
        return ["0", "1"]
    return [str(choice[0]) for choice in field.iter_choices()] if isinstance(field, SelectField) else []
