"""What the forms of streams share: how they answer, and what the page of an edited stream says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypedDict

from flask import make_response, redirect, url_for
from werkzeug.wrappers import Response

from app.domain.errors import ProductError
from app.domain.snapshot import Snapshot
from app.domain.status import Order
from app.web.api.streams import started, view_of
from app.web.errors import json_response, status_of, wants_json
from app.words.states import interrupted_text

CREATED: Final = 201
CHANGED: Final = 200


class EditWords(TypedDict):
    """The words of the page, by their names in the templates. `interrupted` is None if a change interrupts nothing."""

    heading: str
    is_edit: bool
    button: str
    interrupted: str | None
    has_passphrase: bool


def answer_form(
    act: Callable[[], Snapshot],
    show_problems: Callable[[Mapping[str, str]], None],
    render: Callable[[str], str],
    status: int,
) -> Response:
    """Carry out a form. Scripts of the page get the API's answers, browsers without them a page.

    After an error, `render` makes the page with its message, and `show_problems` puts the faults next to the fields.
    """
    try:
        snapshot = act()
    except ProductError as error:
        if wants_json():
            raise
        show_problems(error.fields)
        return make_response(render(error.message), status_of(error))
    if wants_json():
        return started(snapshot) if status == CREATED else json_response(view_of(snapshot))
    return redirect(url_for("pages.stream", key=snapshot.key), 303)


def edit_words(snapshot: Snapshot) -> EditWords:
    """Return what the page of an edited stream says in addition to the fields of the form."""
    return EditWords(
        heading=f"Edit {snapshot.spec.label()}",
        is_edit=True,
        button="Save and restart" if snapshot.status.order is Order.RUN else "Save",
        interrupted=interrupted_text(snapshot),
        has_passphrase=snapshot.spec.encryption is not None,
    )
