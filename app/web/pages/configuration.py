"""The page of configuration as code: download the streams as a file, compare a file, apply it."""

from __future__ import annotations

from flask import Blueprint, render_template

configuration_pages = Blueprint("configuration_pages", __name__)


@configuration_pages.get("/configuration")
def configuration() -> str:
    """Show the file of this host's streams, and the form that compares and applies one."""
    return render_template("configuration.html")
