"""Gives static files addresses that change with their contents, so that browsers may keep the files for a year."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

_YEAR_S = 365 * 24 * 3600


def register_static_files(app: Flask) -> None:
    """Add a version to every address that `url_for` makes for a static file."""
    folder = Path(app.static_folder or "static")

    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "filename" in values:
            values["v"] = _version_of(folder / values["filename"])

    def let_keep(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code == 200:
            response.headers["Cache-Control"] = (
                f"public, max-age={_YEAR_S}, immutable" if "v" in request.args else "no-cache"
            )
        return response

    app.url_defaults(add_version)
    app.after_request(let_keep)


@cache
def _version_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
