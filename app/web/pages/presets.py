"""The page of presets and the address book, and the route that saves a form as a preset."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from app.domain.errors import InvalidInput, NameTaken
from app.domain.presets import Preset, problem_with_name
from app.forms import StreamForm
from app.web.errors import json_response
from app.web.pages.receive_form import ReceiveForm
from app.web.presenters.presets import present_preset
from app.web.services import services

preset_pages = Blueprint("preset_pages", __name__)


@preset_pages.get("/presets")
def preset_book() -> Response:
    """Show all presets and far ends: rename, delete, export, import."""
    return make_response(render_template("presets.html"))


@preset_pages.post("/presets")
def save_form() -> Response:
    """Save the form of a stream as the preset `preset_name`; with `replace=1`, replace the one with its name."""
    shelf = services().manager.book().presets
    name = request.form.get("preset_name", "").strip()
    form = ReceiveForm() if request.form.get("direction") == "receive" else StreamForm()
    spec = form.to_preset_spec()
    if problem := problem_with_name(name):
        raise InvalidInput.of({"preset_name": problem})
    preset = Preset(name, spec)
    if request.form.get("replace") == "1":
        key, _ = shelf.put(preset)
        shelf.store()
        return json_response(present_preset(key, preset), 200)
    try:
        key = shelf.add(preset)
    except NameTaken as error:
        raise NameTaken(error.message, {"preset_name": error.message}) from None
    return json_response(present_preset(key, preset), 201)
