"""The JSON API of receive streams: their delivery history and the reset of their account."""

from __future__ import annotations

from typing import Final

import msgspec
from flask import Blueprint, Response, g, request

from app.domain.errors import NotFound
from app.web.api.sheets import csv_response
from app.web.api.streams import view_of
from app.web.errors import json_response
from app.web.presenters.reception import present_delivery_second
from app.web.presenters.reception_views import DeliverySecondView
from app.web.presenters.stream import iso
from app.web.requests import read_number
from app.web.services import services

receptions = Blueprint("receptions", __name__, url_prefix="/api/streams")

_DAY_S: Final = 24 * 3600


@receptions.get("/<key>/reception")
def show_reception_history(key: str) -> Response:
    """Return the delivery over the last `seconds`, oldest first: seconds up to an hour, else minutes; JSON or CSV."""
    wanted_s = read_number("seconds", default=300, low=1, high=_DAY_S)
    samples = [present_delivery_second(point) for point in services().manager.deliveries(key, wanted_s)]
    if request.args.get("format") != "csv":
        return json_response({"samples": samples})
    columns = [field.name for field in msgspec.structs.fields(DeliverySecondView) if field.name not in ("at", "errors")]
    rows = [
        (iso(sample.at), sample.at, *(getattr(sample, column) for column in columns), " ".join(sample.errors))
        for sample in samples
    ]
    return csv_response(key, ["time_utc", "at", *columns, "errors"], rows)


@receptions.get("/<key>/picture")
def show_picture(key: str) -> Response:
    """Return the newest key frame of a receive stream with `picture`, as JPEG."""
    jpeg = services().manager.picture(key)
    if jpeg is None:
        raise NotFound(f"there is no picture of {key} yet")
    return Response(jpeg, mimetype="image/jpeg")


@receptions.post("/<key>/reset")
def reset_reception(key: str) -> Response:
    """Reset the counters of a receive stream's delivery."""
    return json_response(view_of(services().manager.reset(key, actor=g.actor)))
