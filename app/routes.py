"""The pages. They contain forms and empty tables; figures come from the API, so no two places disagree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, current_app, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.domain.errors import InvalidInput, NotFound
from app.domain.presets import Preset
from app.domain.snapshot import Snapshot
from app.domain.spec import Mode, ReceiveSpec, SendSpec
from app.domain.version import VERSION
from app.forms import FIELD_OF_SPEC, SETTINGS, StreamForm, data_of
from app.utils import list_interfaces
from app.web.api.streams import ports_for
from app.web.pages.answers import CHANGED, CREATED, answer_form, edit_words
from app.web.pages.receive import edit_reception, reception_like, reception_page
from app.web.presenters.counter_views import View, definitions
from app.web.presenters.machine_views import SystemView
from app.web.presenters.peer_views import PeerView
from app.web.presenters.stream_views import InputView, StreamView
from app.web.presenters.views import RowView
from app.web.requests import fill_from_query
from app.web.services import services
from app.words.states import dscp_text

pages = Blueprint("pages", __name__)

# A link may fill in a form, for example with the network test's advice. It never contains a passphrase.
_PREFILLED: Final = frozenset(FIELD_OF_SPEC.values()) - {"passphrase"}
_NAVIGATION: Final = (
    ("pages.dashboard", "Dashboard"),
    ("pages.caller", "New stream"),
    ("receive_pages.receive", "Receive"),
    ("line_up_pages.line_up", "Line-up test"),
    ("impairment_pages.impairment", "Impairment"),
    ("network_test_pages.network_test", "Network test"),
    ("preset_pages.preset_book", "Presets"),
    ("host_pages.all_hosts", "Hosts"),
    ("pages.events", "Events"),
)
# A field that only one kind of source has selects that kind.
_KIND_OF_FIELD: Final = {"path": "file", "address": "multicast", "bars_format": "bars"}


@pages.route("/", methods=["GET", "POST"])
def dashboard() -> Response:
    """Show all streams, and the dialog of a new stream; `view=wall` shows the streams alone, large."""
    if request.method in ("GET", "HEAD") and "view" in request.args:
        if request.args["view"] != "wall":
            raise InvalidInput.of({"view": "use wall, or leave it out for the dashboard"})
        return make_response(render_template("wall.html", defined=_defined(RowView, StreamView)))
    return _new_stream(Mode.LISTENER)


@pages.route("/caller", methods=["GET", "POST"])
def caller() -> Response:
    """Show the dashboard with the dialog of a new stream open, set to call a receiver."""
    return _new_stream(Mode.CALLER)


@pages.get("/stream/<key>")
def stream(key: str) -> Response:
    """Show one stream with its charts, peers, settings and far-end card."""
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
    """Show the event log."""
    return make_response(render_template("events.html", key=request.args.get("key", "")))


@pages.get("/media_info/<path:path>")
def media_info(path: str) -> Response:
    """Show the contents of one media file, and whether it can be sent."""
    try:
        services().media.resolve(path)
    except InvalidInput as error:
        raise NotFound(error.fields.get("source.path", error.message)) from None
    return make_response(render_template("media_info.html", path=path))


@pages.route("/stream/<key>/edit", methods=["GET", "POST"])
def edit_stream(key: str) -> Response:
    """Show the form with the settings of a stream. When sent, change them and restart the stream if it runs."""
    snapshot = services().manager.get(key)
    if isinstance(snapshot.spec, ReceiveSpec):
        return edit_reception(snapshot)
    _require_send_stream(snapshot)
    page = edit_words(snapshot)
    if request.method in ("GET", "HEAD"):
        form = StreamForm(formdata=None, data=data_of(snapshot.spec))
        return make_response(_render("stream_form_page.html", form, **page))
    form = StreamForm()

    def change() -> Snapshot:
        spec = form.to_spec(tuple(ports_for(key)), snapshot.spec.encryption)
        return services().manager.change(key, spec, actor=g.actor)

    return _answer("stream_form_page.html", form, change, CHANGED, **page)


@pages.get("/stream/<key>/duplicate")
def new_stream_like(key: str) -> Response:
    """Show the form of a new stream with the settings of another, a free port and no passphrase."""
    snapshot = services().manager.get(key)
    if isinstance(snapshot.spec, ReceiveSpec):
        return reception_like(snapshot.spec)
    spec = _require_send_stream(snapshot)
    data = data_of(spec) | {"name": f"{spec.name} copy" if spec.name else ""}
    if spec.local_port() is not None:
        data.pop("port", None)
    form = StreamForm(formdata=None, data=data)
    return make_response(_render("stream_form_page.html", form, action=url_for("pages.dashboard")))


def _require_send_stream(snapshot: Snapshot) -> SendSpec:
    """Return the spec of a send stream; a relay has no form. Raises NotFound."""
    if not isinstance(snapshot.spec, SendSpec):
        raise NotFound(f"{snapshot.spec.label()} is a relay; change it through the API")
    return snapshot.spec


def _new_stream(mode: Mode) -> Response:
    if request.method in ("GET", "HEAD"):
        preset = _asked_preset()
        if preset is not None and isinstance(preset.spec, ReceiveSpec):
            return redirect(url_for("receive_pages.receive", preset=request.args["preset"]))
        form = StreamForm(formdata=None, data={"mode": mode.value} | _preset_data(preset) | _source_kind())
        has_fields = fill_from_query(form, _PREFILLED)
        opens = mode is Mode.CALLER or preset is not None or has_fields
        return make_response(_render("dashboard.html", form, preset=preset, opens_form=opens))
    form = StreamForm()
    if "mode" not in request.form:
        form.mode.data = mode.value

    def start() -> Snapshot:
        return services().manager.start(form.to_spec(services().settings.listener_ports), actor=g.actor)

    return _answer("dashboard.html", form, start, CREATED, opens_form=True)


def _asked_preset() -> Preset | None:
    """Return the preset that the address names. Raises NotFound."""
    key = request.args.get("preset")
    return services().manager.book().presets.get(key) if key else None


def _preset_data(preset: Preset | None) -> dict[str, Any]:
    """Return a preset as the form's fields. A port that is in use now is left to choose."""
    if preset is None:
        return {}
    data = data_of(preset.spec)
    port = preset.spec.local_port()
    if port is not None and port not in services().manager.free_ports():
        data.pop("port", None)
    return data


def _answer(template: str, form: StreamForm, act: Callable[[], Snapshot], status: int, **page: Any) -> Response:
    return answer_form(
        act, form.show_problems, lambda problem: _render(template, form, problem=problem, **page), status
    )


def _render(template: str, form: StreamForm, **page: Any) -> str:
    free_ports = services().manager.free_ports()
    if form.mode.data == Mode.LISTENER and not form.port.data and free_ports:
        form.port.data = str(free_ports[0])
    return render_template(
        template,
        **{"heading": "New stream", "action": request.path, "preset": None, **page},
        form=form,
        settings=SETTINGS,
        has_advanced_problem=form.has_advanced_problem(),
        free_ports=free_ports,
        interface_choices=_interface_choices(form),
        presets=[
            (key, kept) for key, kept in services().manager.book().presets.list() if isinstance(kept.spec, SendSpec)
        ],
        far_ends=services().manager.book().far_ends.list(),
        dscp=dscp_text(services().settings.qos_dscp),
        defined=_defined(RowView, StreamView, SystemView),
    )


def _interface_choices(form: StreamForm) -> list[tuple[str, str]]:
    """Return interfaces that may carry multicast. A requested one that does not exist stays in the list."""
    found = [(i.name, f"{i.name} {i.addresses[0] if i.addresses else ''}") for i in list_interfaces() if i.is_up]
    asked = form.interface.data or "auto"
    missing = [(asked, asked)] if asked not in {"auto", *(name for name, _ in found)} else []
    return [("auto", "auto (routing table)"), *found, *missing]


@pages.app_context_processor
def _navigation() -> dict[str, Any]:
    """Return the pages for the head of each page, and the version for its foot."""
    known = current_app.view_functions
    return {
        "navigation": [(endpoint, label) for endpoint, label in _NAVIGATION if endpoint in known],
        "version": VERSION,
    }


def _source_kind() -> dict[str, str]:
    """Return the kind of source whose field the query has."""
    kinds = [kind for field, kind in _KIND_OF_FIELD.items() if request.args.get(field)]
    return {"source_kind": kinds[0]} if kinds else {}


def _defined(*views: type[View]) -> dict[str, str]:
    """Return definitions for hover texts. A later view's definition takes precedence."""
    found: dict[str, str] = {}
    for view in views:
        found.update(definitions(view))
    return found
