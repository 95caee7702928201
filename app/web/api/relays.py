"""The JSON API of orders to relays: change the impairment, make an outage."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, g

from app.domain.errors import InvalidInput
from app.domain.impairment.checks import problem_with_outage
from app.domain.impairment.model import OutageOrder
from app.domain.spec import parse_impairment
from app.domain.wrong_values import invalid_input
from app.web.api.impairment_profiles import with_own_profile
from app.web.api.streams import view_of
from app.web.errors import json_response
from app.web.requests import read_json
from app.web.services import services

relays = Blueprint("relays", __name__, url_prefix="/api")


@relays.put("/streams/<key>/impairment")
def change_impairment(key: str) -> Response:
    """Change a relay's impairment without interruption."""
    return json_response(
        view_of(services().manager.impair(key, parse_impairment(with_own_profile(read_json())), actor=g.actor))
    )


@relays.post("/streams/<key>/outage")
def order_outage(key: str) -> Response:
    """Make an outage in a relay, beginning now."""
    try:
        order = msgspec.convert(read_json(), OutageOrder)
    except msgspec.ValidationError as error:
        raise invalid_input(error, "body", "send for_ms and direction: both, to_target or to_caller") from None
    if problem := problem_with_outage(order.for_ms):
        raise InvalidInput.of({"for_ms": problem})
    return json_response(view_of(services().manager.cut(key, order.for_ms, order.direction, actor=g.actor)))
