"""Turns msgspec's message about a wrong value into the field and a sentence with the remedy."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from app.domain.errors import InvalidInput

_KINDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_FIELD: Final = re.compile(r"Object (missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
_TYPE: Final = re.compile(r"Expected `(?P<wanted>[a-z |]+)`, got `(?P<found>[a-z]+)`")
_LENGTH: Final = re.compile(r"Expected `(?P<kind>array|str)` of length (?P<sign>>=|<=) (?P<limit>\d+)")
_BOUND: Final = re.compile(r"Expected `(?:int|float)` (?P<sign>>=|<=) (?P<limit>\S+)")
_CHOICE: Final = re.compile(r"Invalid (?:enum )?value (?P<value>.*)", re.DOTALL)
_LIMITS: Final = {">=": "at least", "<=": "at most"}
MISSING: Final = "this field is missing; add it"
UNKNOWN: Final = "this field is unknown; remove it"


def invalid_input(error: msgspec.ValidationError, whole: str, remedy: str = "") -> InvalidInput:
    """Return the error for a value that does not convert. `whole` names the document; `remedy` follows each text."""
    field, text = fault_of(error, whole)
    return InvalidInput.of({field: f"{text}; {remedy}" if remedy else text})


def fault_of(error: msgspec.ValidationError, whole: str) -> tuple[str, str]:
    """Return the dotted path of the wrong field (or `whole` for the document itself) and what is wrong with it."""
    message, _, place = str(error).partition(" - at `$")
    path = place.rstrip("`").lstrip(".")
    if found := _FIELD.fullmatch(message):
        name = f"{path}.{found['name']}" if path else found["name"]
        return name, MISSING if found[1] == "missing required" else UNKNOWN
    return path or whole, _sentence(message)


def _sentence(message: str) -> str:
    if found := _TYPE.fullmatch(message):
        wanted = [_KINDS.get(kind, kind) for kind in found["wanted"].split(" | ")]
        if found["found"] == "null":
            return f"this is empty; enter {' or '.join(wanted)}"
        return f"this is {_KINDS.get(found['found'], found['found'])}; send {' or '.join(wanted)}"
    if found := _LENGTH.fullmatch(message):
        unit = "entries" if found["kind"] == "array" else "characters"
        return f"send {_LIMITS[found['sign']]} {found['limit']} {unit}"
    if found := _BOUND.fullmatch(message):
        return f"send {_LIMITS[found['sign']]} {found['limit']}"
    if found := _CHOICE.fullmatch(message):
        value = found["value"].strip("'")
        return f"{value} is not among the choices; the API's description lists them"
    return message
