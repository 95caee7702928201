"""The JSON API of configuration as code: export the streams as a file, compare a file, apply it."""

from __future__ import annotations

from threading import Lock
from typing import Final

import msgspec
from flask import Blueprint, Response, g, jsonify, request

from app.configuration.applying import Outcome, apply_plan
from app.configuration.export import export
from app.configuration.plan import Step, plan
from app.configuration.reading import FaultyFile, read_configuration
from app.configuration.schema import configuration_schema
from app.configuration.words import place_of
from app.domain.errors import InvalidInput, WrongState
from app.domain.wrong_values import invalid_input
from app.web.errors import json_response
from app.web.presenters.configuration import ConfigurationOrder, present_configuration
from app.web.requests import read_json
from app.web.services import services

configurations = Blueprint("configurations", __name__, url_prefix="/api/configuration")

_BODY_BYTES_MAX: Final = 1024 * 1024
_applying = Lock()


@configurations.get("")
def export_configuration() -> Response:
    """Return every stream as a YAML file. It contains references to passphrases, never a passphrase."""
    response = Response(export(services().manager.list()), mimetype="application/yaml")
    response.headers.set("Content-Disposition", "attachment", filename="streams.yaml")
    return response


@configurations.get("/schema")
def show_schema() -> Response:
    """Return the JSON schema of the file."""
    return jsonify(configuration_schema())


@configurations.post("")
def apply_configuration() -> Response:
    """Compare a file with the streams, and apply it unless `dry_run`."""
    request.max_content_length = _BODY_BYTES_MAX
    order = _order()
    if order.dry_run:
        return json_response(present_configuration([Outcome(step) for step in _plan(order)], is_applied=False))
    if not _applying.acquire(blocking=False):
        raise WrongState("Another configuration is being applied. Send this one again when it has finished.")
    try:
        outcomes = apply_plan(_plan(order), services().manager, actor=g.actor)
    finally:
        _applying.release()
    return json_response(present_configuration(outcomes, is_applied=True))


def _order() -> ConfigurationOrder:
    try:
        return msgspec.convert(read_json(), ConfigurationOrder)
    except msgspec.ValidationError as error:
        raise invalid_input(error, "body") from None


def _plan(order: ConfigurationOrder) -> list[Step]:
    present = services().manager.list()
    own_ports = {port for snapshot in present if (port := snapshot.spec.local_port()) is not None}
    ports = {*services().settings.listener_ports, *own_ports}
    try:
        wanted = read_configuration(order.document, secrets=order.secrets, listener_ports=ports)
        return plan(wanted, present, prunes=order.prune)
    except FaultyFile as faulty:
        count = len(faulty.faults)
        raise InvalidInput(
            f"The file has {count} {'fault' if count == 1 else 'faults'}. Nothing was changed.",
            {place_of(fault): fault.text for fault in faulty.faults},
        ) from None
