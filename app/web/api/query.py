"""Checks the query of every API request against the API's description, so that nothing in it is ignored silently."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from flask import request

from app.domain.errors import InvalidInput
from app.web.api.description import describe_api

_SHOWN_CHARACTERS: Final = 20


def check_query() -> None:
    """Raise InvalidInput for a parameter that the route does not have or has twice, or a value that it does not list.

    The views check numbers and texts, because those depend on more than the description.
    """
    if request.url_rule is None or not request.url_rule.rule.startswith("/api/"):
        return
    known = _parameters(request.url_rule.rule, "get" if request.method == "HEAD" else request.method.lower())
    problems = {name: _problem(name, values, known) for name, values in request.args.lists()}
    if found := {name: text for name, text in problems.items() if text is not None}:
        raise InvalidInput.of(found)


def _problem(name: str, values: list[str], known: dict[str, dict[str, Any]]) -> str | None:
    if name not in known:
        return f"this address takes {_listed(list(known), 'and')}" if known else "this address takes no query"
    if len(values) > 1:
        return "send it once"
    allowed = known[name].get("enum")
    if allowed is None or values[0] in allowed:
        return None
    return f"{values[0][:_SHOWN_CHARACTERS]!r} is not a {name}; use {_listed(allowed, 'or')}"


@cache
def _parameters(rule: str, method: str) -> dict[str, dict[str, Any]]:
    """Return the schemas of the parameters in the query of a route, by name."""
    operations = describe_api()["paths"].get(rule.replace("<", "{").replace(">", "}"), {})
    parameters = operations.get(method, {}).get("parameters", [])
    return {each["name"]: each["schema"] for each in parameters if each["in"] == "query"}


def _listed(words: list[str], last: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
