"""A real NGINX with each shipped site in front of the product: who gets in, what comes through, who is seen."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.instruments.nginx import PASSWORD, Nginx
from tests.instruments.product import Product

ROOT = Path(__file__).parents[2]
SITES = ("mcr-srt-streamer.conf", "mcr-srt-streamer-tls.conf")


@pytest.fixture(scope="module", params=SITES)
def site(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def nginx(site: str, _running_product: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    proxy = Nginx(_running_product, tmp_path_factory.mktemp("nginx"), site)
    assert proxy.complaints_about_its_configuration() == ""
    with proxy:
        yield proxy


def test_without_a_password_the_proxy_shows_nothing_but_health(nginx: Nginx) -> None:
    for path in ("/", "/caller", "/network-test", "/api/streams", "/metrics", "/static/css/style.css"):
        for password in ("", "wrong"):
            answer = nginx.get(path, password=password)
            assert answer.status == 401, path
            assert "MCR SRT Streamer" in answer.headers["WWW-Authenticate"]
    assert nginx.get("/health").status == 200


def test_with_the_password_pages_and_static_files_come_through(nginx: Nginx) -> None:
    page = nginx.get("/", password=PASSWORD)
    assert page.status == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    (style,) = set(re.findall(rb"/static/css/style\.css\?v=\w+", page.body))
    sheet = nginx.get(style.decode(), password=PASSWORD)
    assert sheet.status == 200
    assert sheet.body == (ROOT / "app" / "static" / "css" / "style.css").read_bytes()
    assert "immutable" in sheet.headers["Cache-Control"]
    unversioned = nginx.get(style.decode().partition("?")[0], password=PASSWORD)
    assert unversioned.headers["Cache-Control"] == "no-cache"


def test_the_name_that_the_browser_used_reaches_the_program_which_knows_its_own(nginx: Nginx) -> None:
    for host, status in ((socket.gethostname(), 200), ("127.0.0.1", 200), ("evil.example", 400)):
        page = nginx.get("/", password=PASSWORD, Host=host, X_Forwarded_Host="127.0.0.1")
        assert page.status == status, host
    assert b"TRUSTED_HOSTS" in page.body


def opened_page(nginx: Nginx, **headers: str) -> tuple[str, str]:
    """Open a page as a browser does, and return its cookie and its CSRF token."""
    page = nginx.get("/", password=PASSWORD, **headers)
    (token,) = set(re.findall(r'name="csrf[_-]token" (?:content|value)="([^"]+)"', page.body.decode()))
    return page.headers["Set-Cookie"].split(";")[0], token


def test_the_page_behind_the_proxy_reads_and_gives_orders(nginx: Nginx, product: Product) -> None:
    cookie, token = opened_page(nginx)
    read = nginx.get("/api/dashboard", password=PASSWORD, Cookie=cookie)
    assert read.status == 200
    assert "system" in json.loads(read.body)
    sent = {"Cookie": cookie, "Content_Type": "application/json", "Referer": f"https://127.0.0.1:{nginx.tls_port}/"}
    order = json.dumps(product.document()).encode()
    refused = nginx.request("POST", "/api/streams", body=order, password=PASSWORD, **sent)
    assert refused.status == 401
    started = nginx.request("POST", "/api/streams", body=order, password=PASSWORD, X_CSRFToken=token, **sent)
    assert started.status == 201, started.body
    product.delete(f"/api/streams/{json.loads(started.body)['key']}")


def test_a_script_brings_the_api_key_instead_of_the_password(nginx: Nginx, product: Product) -> None:
    for path in ("/api/streams", "/metrics"):
        assert nginx.get(path, Authorization=f"Bearer {product.api_key}").status == 200, path
        assert nginx.get(path, Authorization="Bearer wrong").status == 401, path
    assert nginx.get("/", Authorization=f"Bearer {product.api_key}").status == 401, "a key opens the API, not the pages"


@pytest.mark.parametrize("claim", ["203.0.113.9", "127.0.0.1", "203.0.113.9, 198.51.100.7"])
def test_the_event_log_names_the_address_that_a_client_has_not_the_one_that_it_claims(
    claim: str, nginx: Nginx, product: Product
) -> None:
    claimed = {
        "X_Forwarded_For": claim,
        "X_Real_IP": claim,
        "Forwarded": f"for={claim.partition(',')[0]}",
        "Authorization": f"Bearer {product.api_key}",
        "Content_Type": "application/json",
    }
    order = json.dumps(product.document()).encode()
    started = nginx.request("POST", "/api/streams", body=order, from_address="127.0.0.2", **claimed)
    key = json.loads(started.body)["key"]
    events = product.get(f"/api/events?key={key}").document["events"]
    actors = {event["actor"] for event in events if event["text"] == "start requested"}
    product.delete(f"/api/streams/{key}")
    assert actors == {"api key at 127.0.0.2"}


def test_what_a_client_claims_of_the_scheme_counts_for_nothing(nginx: Nginx, site: str) -> None:
    for claim in ("https", "http"):
        cookie = nginx.get("/", password=PASSWORD, X_Forwarded_Proto=claim).headers["Set-Cookie"]
        # A request that came over HTTPS gets a cookie that stays on it.
        assert ("Secure" in cookie) is ("tls" in site), claim


def test_the_tls_site_sends_everybody_to_https_and_keeps_them_there(
    product: Product, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Nginx(product, tmp_path_factory.mktemp("nginx"), "mcr-srt-streamer-tls.conf") as nginx:
        sent = nginx.plain_get("/caller?x=1")
        assert sent.status == 308
        assert sent.headers["Location"] == "https://127.0.0.1/caller?x=1"
        assert "max-age=31536000" in nginx.get("/", password=PASSWORD).headers["Strict-Transport-Security"]
