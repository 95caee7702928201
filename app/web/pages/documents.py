"""The pages of the documentation, which need no internet."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, send_file
from markupsafe import Markup

from app.web.services import services

document_pages = Blueprint("document_pages", __name__)


@document_pages.get("/docs")
def contents() -> str:
    """Show all documents in groups."""
    return render_template("documents.html", contents=services().documents.contents)


@document_pages.get("/docs/<path:address>")
def document(address: str) -> str:
    """Show a document with its table of contents. 404 if it does not exist."""
    found = services().documents.read(address)
    return render_template(
        "document.html",
        contents=services().documents.contents,
        document=found,
        text=Markup(found.html),  # noqa: S704 - the renderer leaves no raw HTML of the source in it
        headings=[heading for heading in found.headings if heading.level in (2, 3)],
    )


@document_pages.get("/docs/files/<path:name>")
def picture(name: str) -> Response:
    """Return an image of the documents. 404 if it does not exist."""
    return send_file(services().documents.image(name))
