"""The JSON API of orders to several streams: all, a group, or some by their keys.

Each stream follows independently: one that fails does not delay the others.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from flask import Blueprint, Response, g, request

from app.domain.errors import ProductError
from app.domain.snapshot import Snapshot
from app.domain.stream_choice import choose, parse_choice
from app.domain.verdict import ORDERED
from app.web.api.streams import view_of
from app.web.errors import json_response
from app.web.presenters.all_streams import AllStreamsView, RefusedView
from app.web.requests import read_json
from app.web.services import services

all_streams = Blueprint("all_streams", __name__, url_prefix="/api/streams")

_AT_ONCE_MAX: Final = 50


@all_streams.post("/start-all")
def start_all() -> Response:
    """Put every chosen stream on air that is off air. Answer with the streams that could not start, and why."""
    manager, actor = services().manager, g.actor
    chosen = [snapshot for snapshot in _chosen() if snapshot.status.phase not in ORDERED]
    return _answer(chosen, lambda key: manager.restart(key, actor=actor))


@all_streams.post("/stop-all")
def stop_all() -> Response:
    """Take every chosen stream off air; they stay listed."""
    manager, actor = services().manager, g.actor
    chosen = [snapshot for snapshot in _chosen() if snapshot.status.phase in ORDERED]
    return _answer(chosen, lambda key: manager.stop(key, actor=actor))


def _chosen() -> list[Snapshot]:
    """Return the streams that the body names; without a body, all streams."""
    choice = parse_choice(read_json() if request.get_data() else None)
    return choose(services().manager.list(), choice)


def _answer(chosen: list[Snapshot], order: Callable[[str], Snapshot]) -> Response:
    def follow(snapshot: Snapshot) -> Snapshot | RefusedView:
        try:
            return order(snapshot.key)
        except ProductError as error:
            return RefusedView(snapshot.key, snapshot.spec.label(), error.message)

    # A stop waits for its worker: one after the other, fifty would take minutes.
    with ThreadPoolExecutor(_AT_ONCE_MAX) as pool:
        results = list(pool.map(follow, chosen))
    return json_response(
        AllStreamsView(
            streams=[view_of(result) for result in results if isinstance(result, Snapshot)],
            refused=[result for result in results if isinstance(result, RefusedView)],
        )
    )
