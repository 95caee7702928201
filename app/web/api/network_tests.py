"""The JSON API of network tests. A test runs outside the request that starts it."""

from __future__ import annotations

from flask import Blueprint, Response

from app.domain.network_order import parse_order
from app.web.errors import json_response
from app.web.presenters.machine import present_overview
from app.web.presenters.network_test import present_network_test, present_network_test_row, present_servers
from app.web.requests import read_json
from app.web.services import services

network_tests = Blueprint("network_tests", __name__, url_prefix="/api/network-tests")


@network_tests.get("")
def list_network_tests() -> Response:
    """Return a summary of every stored test, newest first, and the servers that a test can choose from."""
    tester = services().network
    return json_response(
        {
            "overview": present_overview(services().manager.list()),
            "tests": [present_network_test_row(record) for record in tester.list()],
            "servers": present_servers(tester.servers.regions(), tester.servers.state()),
        }
    )


@network_tests.post("")
def start_network_test() -> Response:
    """Begin a test and answer with its id at once; 409 while another one runs."""
    record = services().network.start(parse_order(read_json()))
    response = json_response(present_network_test(record), 202)
    response.headers["Location"] = f"/api/network-tests/{record.id}"
    return response


@network_tests.get("/<test_id>")
def show_network_test(test_id: str) -> Response:
    """Return a test: its progress, findings and recommendation."""
    return json_response(present_network_test(services().network.get(test_id)))


@network_tests.delete("/<test_id>")
def cancel_network_test(test_id: str) -> Response:
    """End a running test. A test that has ended stays unchanged."""
    return json_response(present_network_test(services().network.cancel(test_id)), 202)
