"""The part of the OpenAPI description about line-up tests."""

from __future__ import annotations

from typing import Any, Final

from app.domain.lineup.limits import SavedLimits
from app.domain.lineup.plan import Plan
from app.web.api.schema import KEY, json, operation, query, ref, wrapped
from app.web.presenters.line_up import RunRowView, RunView

LINE_UP_TYPES: Final = (RunRowView, RunView, Plan, SavedLimits)


def line_up_paths() -> dict[str, Any]:
    """Describe the paths of line-up tests."""
    view = ref("RunView")
    key = [{**KEY, "name": "run_id"}]
    formats = query("format", {"enum": ["json", "stored", "csv", "pdf", "junit"]})
    return {
        "/api/line-ups": {
            "get": operation(
                "The line-up tests, newest first",
                wrapped("line_ups", ref("RunRowView"), overview=ref("OverviewView")),
                [],
            ),
            "post": {
                **operation("Begin a line-up test", view, [400, 409], success=202),
                "requestBody": {"required": True, "content": json(ref("Plan"))},
            },
        },
        "/api/line-ups/{run_id}": {
            "parameters": key,
            "get": operation("One line-up test", view, [400, 404], [formats]),
            "delete": operation("Delete its report", None, [404, 409], success=204),
        },
        "/api/line-ups/{run_id}/cancel": {
            "parameters": key,
            "post": operation("Cancel it and keep its measurements", view, [404], success=202),
        },
        **_limits_paths(),
    }


def _limits_paths() -> dict[str, Any]:
    saved = wrapped("limits", ref("SavedLimits"))
    return {
        "/api/line-up-limits": {
            "get": operation("The saved limits by name", saved, []),
            "post": {
                **operation("Save limits under names, all or none", saved, [400, 409], success=201),
                "requestBody": {"required": True, "content": json(saved)},
            },
        },
        "/api/line-up-limits/{name}": {
            "parameters": [{**KEY, "name": "name"}],
            "delete": operation("Forget saved limits", None, [404], success=204),
        },
    }
