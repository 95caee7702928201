"""The page About: version, licence, libraries and the settings in force."""

from __future__ import annotations

from functools import cache

from flask import Blueprint, render_template

from app.settings import PROJECT_FOLDER
from app.web.presenters.about import present_about
from app.web.services import services

about_pages = Blueprint("about_pages", __name__)


@about_pages.get("/about")
def about() -> str:
    """Show the version and the settings of this installation; secrets stay hidden."""
    return render_template(
        "about.html",
        about=present_about(services().settings, services().versions.read()),
        contents=services().documents.contents,
        licence_text=_licence_text(),
    )


@cache
def _licence_text() -> str:
    """Return the licence as it is distributed."""
    path = PROJECT_FOLDER / "LICENSE"
    return path.read_text(encoding="utf-8") if path.is_file() else ""
