"""The pages. They carry forms and empty tables; figures come from the API, so no two places disagree."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, current_app, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.domain.errors import InvalidInput, NotFound, ProductError
from app.domain.spec import ReceiveSpec
from app.forms import FIELD_OF_SPEC, CallerForm, ListenerForm, StreamForm
from app.utils import list_interfaces
from app.web.api.streams import started
from app.web.errors import status_of, wants_json
from app.web.pages.receive import reception_page
from app.web.presenters.counter_views import View
from app.web.presenters.views import InputView, PeerView, RowView, StreamView, SystemView, definitions
from app.web.services import services
from app.words.states import dscp_text

pages = Blueprint("pages", __name__)

# A link may fill a form in: the network test's advice, a stream to be done again. Never a passphrase.
_PREFILLED: Final = frozenset(FIELD_OF_SPEC.values()) - {"passphrase"}
_NAVIGATION: Final = (
    ("pages.dashboard", "Dashboard"),
    ("pages.caller", "Start caller"),
    ("receive_pages.receive", "Receive"),
    ("line_up_pages.line_up", "Line-up test"),
    ("network_test_pages.network_test", "Network test"),
    ("host_pages.all_hosts", "Hosts"),
    ("pages.events", "Events"),
)
_SWITCHES: Final = frozenset({"loop", "qos"})


@pages.route("/", methods=["GET", "POST"])
def dashboard() -> Response:
    """All streams, and the form that starts a listener; `view=wall` shows the streams alone, large."""
    if request.method == "GET" and request.args.get("view") == "wall":
        return make_response(render_template("wall.html", defined=_defined(RowView, StreamView)))
    return _form_page("dashboard.html", ListenerForm)


@pages.route("/caller", methods=["GET", "POST"])
def caller() -> Response:
    """The form that calls a receiver."""
    return _form_page("caller.html", CallerForm)


@pages.get("/stream/<key>")
def stream(key: str) -> Response:
    """One stream with its charts, peers, settings and far-end card."""
    snapshot = services().manager.get(key)
    if isinstance(snapshot.spec, ReceiveSpec):
        return reception_page(snapshot)
    return make_response(
        render_template(
            "stream.html",
            key=key,
            label=snapshot.spec.label(),
            addresses=services().system.read().addresses,
            defined=_defined(StreamView, PeerView, InputView),
        )
    )


@pages.get("/events")
def events() -> Response:
    """The event log."""
    return make_response(render_template("events.html", key=request.args.get("key", "")))


@pages.get("/media_info/<path:path>")
def media_info(path: str) -> Response:
    """One media file: what it holds, and whether it is fit to be sent."""
    try:
        services().media.resolve(path)
    except InvalidInput as error:
        raise NotFound(error.fields.get("source.path", error.message)) from None
    return make_response(render_template("media_info.html", path=path))


def _form_page(template: str, form_type: type[StreamForm]) -> Response:
    """Show a form, or do what it asks. Scripts of the page get the API's answers, browsers without them a page."""
    if request.method in ("GET", "HEAD"):
        return make_response(_render(template, form_type(formdata=None, data=_prefill())))
    form = form_type()
    try:
        snapshot = services().manager.start(form.to_spec(services().settings.listener_ports), actor=g.actor)
    except ProductError as error:
        if wants_json():
            raise
        form.show_problems(error.fields)
        return make_response(_render(template, form, problem=error.message), status_of(error))
    if wants_json():
        return started(snapshot)
    return redirect(url_for("pages.stream", key=snapshot.key), 303)


def _render(template: str, form: StreamForm, problem: str | None = None) -> str:
    free_ports = services().manager.free_ports()
    if form.mode == "listener" and not form.port.data and free_ports:
        form.port.data = str(free_ports[0])
    return render_template(
        template,
        form=form,
        problem=problem,
        free_ports=free_ports,
        interface_choices=_interface_choices(form),
        dscp=dscp_text(services().settings.qos_dscp),
        defined=_defined(RowView, StreamView, SystemView),
    )


def _interface_choices(form: StreamForm) -> list[tuple[str, str]]:
    """Interfaces that may carry multicast; one that was asked for and is not there stays to be seen."""
    found = [(i.name, f"{i.name} {i.addresses[0] if i.addresses else ''}") for i in list_interfaces() if i.is_up]
    asked = form.interface.data or "auto"
    missing = [(asked, asked)] if asked not in {"auto", *(name for name, _ in found)} else []
    return [("auto", "auto (routing table)"), *found, *missing]


@pages.app_context_processor
def _navigation() -> dict[str, Any]:
    """The pages in the head of each page: those of this application that are there."""
    known = current_app.view_functions
    return {"navigation": [(endpoint, label) for endpoint, label in _NAVIGATION if endpoint in known]}


def _prefill() -> dict[str, Any]:
    given = {name: text for name, text in request.args.items() if name in _PREFILLED}
    return {name: text == "1" if name in _SWITCHES else text for name, text in given.items()}


def _defined(*views: type[View]) -> dict[str, str]:
    """Definitions for hover texts; a later view's wins."""
    found: dict[str, str] = {}
    for view in views:
        found.update(definitions(view))
    return found
