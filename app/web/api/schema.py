"""Building blocks of the API's description: operations, parameters, answers and references to schemas."""

from __future__ import annotations

from typing import Any, Final

from app.domain.spec import SendSpec
from app.domain.spec.fields import settings_of

TEXTS: Final = {"type": "array", "items": {"type": "string"}}
KEY: Final = {"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}


def operation(
    summary: str,
    answer: dict[str, Any] | None,
    errors: list[int],
    parameters: list[dict[str, Any]] | None = None,
    *,
    success: int = 200,
) -> dict[str, Any]:
    """Describe one operation with its answer and its errors."""
    good: dict[str, Any] = {"description": summary}
    if answer is not None:
        good["content"] = json(answer)
    failures = {str(status): {"description": "Error", "content": json(ref("ErrorAnswer"))} for status in [401, *errors]}
    operation: dict[str, Any] = {"summary": summary, "responses": {str(success): good, **failures}}
    if parameters:
        operation["parameters"] = parameters
    return operation


def of_key(**operations: dict[str, Any]) -> dict[str, Any]:
    """Describe the operations of a path that names a stream."""
    return {"parameters": [KEY], **operations}


def wrapped(name: str, item: dict[str, Any], **others: dict[str, Any]) -> dict[str, Any]:
    """Describe a named list."""
    return holding(**{name: {"type": "array", "items": item}}, **others)


def holding(**properties: dict[str, Any]) -> dict[str, Any]:
    """Describe an object with these properties."""
    return {"type": "object", "required": [*properties], "properties": properties}


def query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Describe a parameter of the query."""
    return {"name": name, "in": "query", "schema": schema}


def setting(name: str) -> dict[str, Any]:
    """Describe a number in the query that is a setting of a send stream."""
    setting = settings_of(SendSpec)[name]
    bounds = {"minimum": setting.low, "maximum": setting.high, "default": setting.default}
    return query(name, {"type": "integer", **bounds})


def json(schema: dict[str, Any]) -> dict[str, Any]:
    """Describe a JSON body."""
    return {"application/json": {"schema": schema}}


def ref(name: str) -> dict[str, Any]:
    """Refer to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}
