"""The JSON API of presets and of the address book: list, save, replace, delete, export and import."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from app.presets.transfer import export, import_into
from app.web.errors import json_response
from app.web.presenters.presets import present_far_end, present_preset
from app.web.requests import read_json
from app.web.services import services

presets = Blueprint("presets", __name__, url_prefix="/api")

# Enough for the maximum number of entries. NGINX has the same limit (deploy/nginx).
IMPORT_BYTES_MAX: Final = 1024 * 1024


@presets.get("/presets")
def list_presets() -> Response:
    """Return all presets, by name, and the problems of stored ones that cannot be read."""
    book = services().manager.book()
    views = [present_preset(key, preset) for key, preset in book.presets.list()]
    return json_response({"presets": views, "problems": book.unreadable})


@presets.post("/presets")
def save_preset() -> Response:
    """Save a new preset."""
    shelf = services().manager.book().presets
    preset = shelf.kind.parse(read_json())
    return json_response(present_preset(shelf.add(preset), preset), 201)


@presets.get("/presets/<key>")
def show_preset(key: str) -> Response:
    """Return a preset."""
    return json_response(present_preset(key, services().manager.book().presets.get(key)))


@presets.put("/presets/<key>")
def replace_preset(key: str) -> Response:
    """Change the name or the spec of a preset."""
    shelf = services().manager.book().presets
    preset = shelf.kind.parse(read_json())
    shelf.replace(key, preset)
    return json_response(present_preset(key, preset))


@presets.delete("/presets/<key>")
def delete_preset(key: str) -> Response:
    """Delete a preset."""
    services().manager.book().presets.remove(key)
    return Response(status=204)


@presets.get("/presets/export")
def export_presets() -> Response:
    """Return all presets and far ends as one document."""
    response = json_response(export(services().manager.book()))
    response.headers["Content-Disposition"] = 'attachment; filename="mcr-presets.json"'
    return response


@presets.post("/presets/import")
def import_presets() -> Response:
    """Import an exported document. Answer with the imported and the refused entries."""
    request.max_content_length = IMPORT_BYTES_MAX
    return json_response(import_into(services().manager.book(), read_json()))


@presets.get("/far-ends")
def list_far_ends() -> Response:
    """Return the address book, by name."""
    return json_response(
        {"far_ends": [present_far_end(key, entry) for key, entry in services().manager.book().far_ends.list()]}
    )


@presets.post("/far-ends")
def save_far_end() -> Response:
    """Save a new far end."""
    shelf = services().manager.book().far_ends
    far_end = shelf.kind.parse(read_json())
    return json_response(present_far_end(shelf.add(far_end), far_end), 201)


@presets.get("/far-ends/<key>")
def show_far_end(key: str) -> Response:
    """Return a far end."""
    return json_response(present_far_end(key, services().manager.book().far_ends.get(key)))


@presets.put("/far-ends/<key>")
def replace_far_end(key: str) -> Response:
    """Change the values of a far end."""
    shelf = services().manager.book().far_ends
    far_end = shelf.kind.parse(read_json())
    shelf.replace(key, far_end)
    return json_response(present_far_end(key, far_end))


@presets.delete("/far-ends/<key>")
def delete_far_end(key: str) -> Response:
    """Delete a far end."""
    services().manager.book().far_ends.remove(key)
    return Response(status=204)
