"""The page of the network test: a form, and an empty area for the API's results."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template
from werkzeug.wrappers import Response

from app.domain.network_order import BITRATE_MBPS, DURATION_S, NetworkTestOrder
from app.web.services import services

network_test_pages = Blueprint("network_test_pages", __name__)


@network_test_pages.get("/network_test")
def network_test() -> Response:
    """Show the network test. The public server list is updated in the background; the page does not wait for it."""
    tester = services().network
    tester.servers.refresh_soon()
    return make_response(
        render_template(
            "network_test.html",
            regions=tester.servers.regions(),
            defaults=NetworkTestOrder(mode="manual"),
            bitrate_limits=BITRATE_MBPS,
            duration_limits=DURATION_S,
            offline=services().settings.offline,
        )
    )
