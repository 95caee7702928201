"""Everything that can be asked wrongly: the answer names the field, nothing starts, nothing else is disturbed."""

from __future__ import annotations

import functools
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.instruments.product import SAMPLE_NAME, Answer, Product
from tests.instruments.receivers import Receiver
from tests.instruments.sample import make_sample
from tests.instruments.waiting import wait_for

Change = dict[str, Any]


def file(path: str) -> Change:
    """Return a change of the source to a file."""
    return {"source": {"kind": "file", "path": path}}


def caller(host: object, port: object = 9000) -> Change:
    """Return a change of the endpoint to a call."""
    return {"endpoint": {"mode": "caller", "host": host, "port": port}}


def passphrase(text: object, key_bits: object = 128) -> Change:
    """Return a change of the encryption."""
    return {"encryption": {"key_bits": key_bits, "passphrase": text}}


WRONG: list[tuple[Change, str]] = [
    ({"endpoint": {"mode": "listener", "port": 22}}, "endpoint.port"),
    ({"endpoint": {"mode": "listener", "port": 70000}}, "endpoint.port"),
    ({"endpoint": {"mode": "listener", "port": -1}}, "endpoint.port"),
    ({"endpoint": {"mode": "listener", "port": "10001"}}, "endpoint.port"),
    (file("missing.ts"), "source.path"),
    (file("empty.ts"), "source.path"),
    (file("noise.ts"), "source.path"),
    (file("text.ts"), "source.path"),
    (file("without-clock.ts"), "source.path"),
    (file("folder.ts"), "source.path"),
    (file("pipe.ts"), "source.path"),
    (file("link-out.ts"), "source.path"),
    (file("link-folder/outside.ts"), "source.path"),
    (file("dangling.ts"), "source.path"),
    (file("device.ts"), "source.path"),
    (file("../data/srt_streamer.sqlite3"), "source.path"),
    (file("../outside.ts"), "source.path"),
    (file("a/../../outside.ts"), "source.path"),
    (file("/etc/passwd"), "source.path"),
    (file("/etc/passwd.ts"), "source.path"),
    (file('quo"te.ts'), "source.path"),
    (file("quo'te.ts"), "source.path"),
    (file("new\nline.ts"), "source.path"),
    (file("nul\x00.ts"), "source.path"),
    (file(SAMPLE_NAME + "\n"), "source.path"),
    (file("x" * 300 + ".ts"), "source.path"),
    (file("x" * 5000 + ".ts"), "source.path"),
    ({"latency_ms": 19}, "latency_ms"),
    ({"latency_ms": 8001}, "latency_ms"),
    ({"latency_ms": 1e308}, "latency_ms"),
    ({"latency_ms": 10**30}, "latency_ms"),
    ({"overhead_percent": 0}, "overhead_percent"),
    ({"overhead_percent": 100}, "overhead_percent"),
    (passphrase("x" * 9), "encryption.passphrase"),
    (passphrase("x" * 80), "encryption.passphrase"),
    (passphrase(None), "encryption.passphrase"),
    (passphrase("ten letters", 192), "encryption.key_bits"),
    (passphrase("ten letters", "128"), "encryption.key_bits"),
    (caller("-h"), "endpoint.host"),
    (caller("--help"), "endpoint.host"),
    (caller("host?mode=listener"), "endpoint.host"),
    (caller("host&passphrase=x"), "endpoint.host"),
    (caller("two words"), "endpoint.host"),
    (caller("host\nname"), "endpoint.host"),
    (caller("$(id)"), "endpoint.host"),
    (caller("a" * 254), "endpoint.host"),
    (caller(""), "endpoint.host"),
    (caller(7), "endpoint.host"),
    (caller("127.0.0.1", 0), "endpoint.port"),
    (caller("127.0.0.1", 65536), "endpoint.port"),
    (caller("127.0.0.1", True), "endpoint.port"),
    ({"name": "two\nlines"}, "name"),
    ({"name": "x" * 201}, "name"),
    ({"qos": "yes"}, "qos"),
    ({"unheard_of": 1}, "unheard_of"),
]
NOT_JSON = [b"", b"{", b"null", b"[]", b'"text"', b"\xff\xfe", b"[" * 50_000, b'{"latency_ms": NaN}', b"{}"]


@pytest.fixture(scope="module")
def hostile_media(_running_product: Product) -> None:
    """Things in the media folder that are not transport streams of it."""
    media, outside = _running_product.media, _running_product.folder / "outside.ts"
    outside.write_bytes((media / SAMPLE_NAME).read_bytes()[:1_880_000])
    (media / "empty.ts").touch()
    (media / "noise.ts").write_bytes(os.urandom(500_000))
    (media / "text.ts").write_text("#EXTM3U\nfile:///etc/passwd\n" * 5000)
    (media / "without-clock.ts").write_bytes((b"\x47\x1f\xff\x10" + bytes(184)) * 5000)
    (media / "folder.ts").mkdir()
    os.mkfifo(media / "pipe.ts")
    (media / "link-out.ts").symlink_to(outside)
    (media / "link-folder").symlink_to(outside.parent)
    (media / "dangling.ts").symlink_to(media / "nothing.ts")
    (media / "device.ts").symlink_to("/dev/zero")


@pytest.fixture
def on_air(product: Product, hostile_media: None) -> Iterator[Receiver]:
    """A stream with a receiver, which must not notice anything."""
    view = product.start(name="undisturbed")
    with Receiver.calling(view["spec"]["endpoint"]["port"]) as receiver:
        receiver.wait_for_bytes(200_000)
        yield receiver
        assert receiver.finish().packets_dropped == 0
    after = product.stream(view["key"])
    assert after["worker"]["pid"] == view["worker"]["pid"]
    assert after["restarts"] == 0


def is_refused_without_a_trace(product: Product, ask: Callable[[], Answer]) -> Answer:
    """Ask, and check that streams and workers are the same afterwards."""
    streams, workers = [view["key"] for view in product.streams()], product.worker_pids()
    answer = ask()
    assert 400 <= answer.status < 500, (answer.status, answer.body[:300])
    assert answer.headers["Content-Type"].startswith("application/json")
    assert set(answer.document["error"]) == {"code", "message", "fields"}
    assert [view["key"] for view in product.streams()] == streams
    wait_for(lambda: product.worker_pids() == workers, deadline_s=5, what="the same workers as before")
    return answer


def test_each_wrong_field_is_named_and_nothing_starts(product: Product, on_air: Receiver) -> None:
    failures = []
    for change, field in WRONG:
        asked = product.document(**change)
        answer = is_refused_without_a_trace(product, functools.partial(product.post, "/api/streams", asked))
        if set(answer.error_fields()) != {field} or answer.status not in (400, 422):
            failures.append((str(change)[:80], answer.status, answer.document))
        assert answer.took_s < 5
    assert not failures


@pytest.mark.parametrize("body", NOT_JSON, ids=lambda body: repr(body[:20]))
def test_a_body_that_is_not_a_stream_is_refused(body: bytes, product: Product) -> None:
    answer = is_refused_without_a_trace(product, lambda: product.post("/api/streams", body))
    assert answer.status == 400
    assert answer.error_fields()


def test_two_megabytes_are_too_many(product: Product, on_air: Receiver) -> None:
    body = json.dumps(product.document(name="x" * 2_000_000)).encode()
    answer = is_refused_without_a_trace(product, lambda: product.post("/api/streams", body))
    assert answer.status == 413


def test_a_port_of_another_stream_is_taken(product: Product, on_air: Receiver) -> None:
    (view,) = product.streams()
    taken = product.document(endpoint={"mode": "listener", "port": view["spec"]["endpoint"]["port"]})
    answer = is_refused_without_a_trace(product, lambda: product.post("/api/streams", taken))
    assert (answer.status, answer.document["error"]["code"]) == (409, "port_in_use")
    assert set(answer.error_fields()) == {"endpoint.port"}


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1"])
def test_a_port_of_another_program_is_taken(address: str, product: Product) -> None:
    port = product.free_listener_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((address, port))
        asked = product.document(endpoint={"mode": "listener", "port": port})
        answer = is_refused_without_a_trace(product, lambda: product.post("/api/streams", asked))
    assert (answer.status, answer.document["error"]["code"]) == (409, "port_in_use")
    assert set(answer.error_fields()) == {"endpoint.port"}


def test_a_stream_over_the_limit_is_refused_until_another_leaves(sample: Path) -> None:
    with Product(sample, MAX_STREAMS="2") as small:
        first = small.start()
        small.start()
        answer = is_refused_without_a_trace(small, lambda: small.post("/api/streams", small.document()))
        assert (answer.status, answer.document["error"]["code"]) == (409, "limit_reached")
        small.dismiss(first["key"])
        small.start()


@pytest.mark.parametrize(
    "name", ["Übertragung 3 – “live”.ts", "<script>alert(1)<script>.ts", "-rf.ts", "a&b?c#d%41.ts"]
)
def test_a_file_with_a_strange_but_honest_name_is_sent(name: str, product: Product, tmp_path: Path) -> None:
    make_sample(tmp_path / "short.ts", seconds=3).rename(product.media / name)
    view = product.start(**file(name))
    with Receiver.calling(view["spec"]["endpoint"]["port"]) as receiver:
        receiver.wait_for_bytes(300_000)


@pytest.mark.parametrize("key", ["", "wrong", "Bearer", "x" * 5000])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/streams"),
        ("POST", "/api/streams"),
        ("DELETE", "/api/streams/abcdef"),
        ("POST", "/api/streams/abcdef/stop"),
        ("GET", "/api/events"),
        ("GET", "/api/system"),
        ("GET", "/metrics"),
    ],
)
def test_without_the_key_no_script_gets_in(method: str, path: str, key: str, product: Product) -> None:
    body = json.dumps(product.document()).encode() if method == "POST" else None
    answer = product.request(method, path, body, key=key)
    assert answer.status in (401, 429)  # 429 from the eleventh wrong key of a minute
    assert not product.streams()


@pytest.mark.parametrize("key", ["nothere", "..", "%2e%2e%2fetc", "'; drop table streams; --", "x" * 3000])
def test_a_stream_that_does_not_exist_is_not_found(key: str, product: Product) -> None:
    path = "/api/streams/" + key.replace(" ", "%20").replace("'", "%27")
    for method, route in (("GET", path), ("DELETE", path), ("POST", path + "/stop"), ("POST", path + "/start")):
        assert product.request(method, route, b"{}" if method == "POST" else None).status in (404, 405, 414)


def test_many_wrong_questions_leave_the_health_as_it_was(product: Product, on_air: Receiver) -> None:
    start = time.monotonic()
    for number in range(100):
        product.post("/api/streams", product.document(latency_ms=number % 20))
    assert product.get("/health").status == 200
    assert time.monotonic() - start < 30
