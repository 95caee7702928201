"""The JSON API of all hosts: this one and those in HOSTS."""

from __future__ import annotations

import socket
import time

from flask import Blueprint, Response

from app.web.errors import json_response
from app.web.presenters.hosts import present_fleet
from app.web.services import services

hosts = Blueprint("hosts", __name__, url_prefix="/api")


@hosts.get("/fleet")
def show_fleet() -> Response:
    """Return every host and every stream, from the last reports. Never waits for another host."""
    now = time.monotonic()
    fleet = present_fleet(services().manager.list(), services().hosts.reports(), hostname=socket.gethostname(), now=now)
    return json_response(fleet)
