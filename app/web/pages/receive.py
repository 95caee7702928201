"""The page that starts a receive stream, and the page of a receive stream."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.domain.json_value import JsonObject
from app.domain.presets import Preset
from app.domain.snapshot import Snapshot
from app.domain.spec import JobSpec, ReceiveSpec, SendSpec
from app.domain.spec.fields import settings_of
from app.utils import list_interfaces
from app.web.api.streams import ports_for
from app.web.pages.answers import CHANGED, CREATED, answer_form, edit_words
from app.web.pages.receive_form import FIELD_OF_SPEC, ReceiveForm, receive_data_of
from app.web.presenters.counter_views import definitions
from app.web.presenters.probe_reports import ProbeReportView, present_probe_report
from app.web.presenters.reception_views import ReceptionView
from app.web.requests import fill_from_query
from app.web.services import services

receive_pages = Blueprint("receive_pages", __name__)

_REPORTS_SHOWN: Final = 20
_RECEIVES: Final = settings_of(ReceiveSpec)
# A link may fill in the form, but never a passphrase.
_PREFILLED: Final = frozenset(FIELD_OF_SPEC.values()) - {"passphrase"}


@receive_pages.route("/receive", methods=["GET", "POST"])
def receive() -> Response:
    """Show the form that waits for a sender or calls one.

    The page's script gets the API's answers, others get a page.
    """
    if request.method in ("GET", "HEAD"):
        return _empty_form()
    form = ReceiveForm()

    def start() -> Snapshot:
        return services().manager.start(form.to_spec(services().settings.listener_ports), actor=g.actor)

    return answer_form(start, form.show_problems, lambda problem: _render(form, problem), CREATED)


def edit_reception(snapshot: Snapshot) -> Response:
    """Show the form with the settings of a receive stream. When sent, change them and restart the stream if it runs."""
    page = edit_words(snapshot)
    if request.method in ("GET", "HEAD"):
        return make_response(_render(_form_of(snapshot.spec), **page))
    form = ReceiveForm()

    def change() -> Snapshot:
        spec = form.to_spec(tuple(ports_for(snapshot.key)), snapshot.spec.encryption)
        return services().manager.change(snapshot.key, spec, actor=g.actor)

    return answer_form(change, form.show_problems, lambda problem: _render(form, problem, **page), CHANGED)


def reception_like(spec: ReceiveSpec) -> Response:
    """Show the form of a new receive stream with the settings of another, a free port and no passphrase."""
    form = _form_of(spec)
    form.name.data = f"{spec.name} copy" if spec.name else ""
    form.listener_port.data = ""
    return make_response(_render(form, action=url_for("receive_pages.receive")))


def _form_of(spec: JobSpec) -> ReceiveForm:
    return ReceiveForm(formdata=None, data=receive_data_of(spec) if isinstance(spec, ReceiveSpec) else {})


def _empty_form() -> Response:
    """Return the form as the address fills it in: from a preset, or single fields. Raises NotFound."""
    key = request.args.get("preset")
    preset = services().manager.book().presets.get(key) if key else None
    if preset is not None and isinstance(preset.spec, SendSpec):
        return redirect(url_for("pages.caller", preset=key))
    form = ReceiveForm(formdata=None, data=_preset_data(preset))
    fill_from_query(form, _PREFILLED)
    return make_response(_render(form, preset=preset))


def _preset_data(preset: Preset | None) -> JsonObject:
    """Return a preset as the form's fields. A port that is in use now is left to choose."""
    if preset is None or not isinstance(preset.spec, ReceiveSpec):
        return {}
    data = receive_data_of(preset.spec)
    if preset.spec.local_port() not in services().manager.free_ports():
        data.pop("listener_port", None)
    return data


def _render(form: ReceiveForm, problem: str | None = None, preset: Preset | None = None, **page: Any) -> str:
    free_ports, book = services().manager.free_ports(), services().manager.book()
    if not form.listener_port.data and free_ports:
        form.listener_port.data = str(free_ports[0])
    interfaces = ["auto", *(one.name for one in list_interfaces())]
    if (asked := form.forward_interface.data) and asked not in interfaces:
        interfaces.append(asked)
    return render_template(
        "receive.html",
        form=form,
        problem=problem,
        free_ports=free_ports,
        interfaces=interfaces,
        receives=_RECEIVES,
        preset=preset,
        presets=[(key, kept) for key, kept in book.presets.list() if isinstance(kept.spec, ReceiveSpec)],
        far_ends=book.far_ends.list(),
        reports=[] if "is_edit" in page else _reports(),
        **page,
    )


def _reports() -> list[ProbeReportView]:
    return [present_probe_report(kept) for kept in services().probe_reports.reports()[:_REPORTS_SHOWN]]


def reception_page(snapshot: Snapshot) -> Response:
    """Show a receive stream."""
    return make_response(
        render_template(
            "reception.html",
            key=snapshot.key,
            label=snapshot.spec.label(),
            addresses=services().system.read().addresses,
            defined=definitions(ReceptionView),
        )
    )
