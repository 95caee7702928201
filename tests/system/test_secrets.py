"""A passphrase is nowhere but where it must be: not in logs, answers, files, arguments or environments."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.instruments.product import Product
from tests.instruments.receivers import Receiver
from tests.instruments.waiting import free_port

PAGES = ["/", "/caller", "/network_test", "/health", "/metrics", "/api/openapi.json"]
ANSWERS = ["/api/streams", "/api/events", "/api/system", "/api/media", "/api/interfaces", "/api/channels"]
OF_A_STREAM = ["", "/history?seconds=60", "/debug"]


def forms_of(secret: str) -> list[bytes]:
    """Return a secret in plain text, in base 64 and in hexadecimal."""
    return [secret.encode(), base64.b64encode(secret.encode()).rstrip(b"=")[:-1], secret.encode().hex().encode()]


def processes() -> Iterator[tuple[str, bytes]]:
    """Arguments and environment of every process of this host but this one."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            for name in ("cmdline", "environ"):
                with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                    yield f"{folder}/{name}", (folder / name).read_bytes()


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every regular file below a folder."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.suffix != ".ts":
            yield str(path), path.read_bytes()


def answers(product: Product, keys: list[str]) -> Iterator[tuple[str, bytes]]:
    """Return the answers of all routes that accept GET, including errors."""
    routes = PAGES + ANSWERS + [f"/api/streams/{key}{what}" for key in keys for what in OF_A_STREAM]
    for route in [*routes, *(f"/stream/{key}" for key in keys)]:
        yield route, product.get(route).body


@pytest.fixture
def secret() -> str:
    """A unique passphrase."""
    return "Q" + secrets.token_hex(16)


def test_a_passphrase_can_be_found_nowhere(product: Product, secret: str) -> None:
    encryption = {"key_bits": 256, "passphrase": secret}
    listener = product.start(encryption=encryption)
    port = free_port()
    with (
        Receiver.listening(port, passphrase="another passphrase") as refusing,
        Receiver.calling(listener["spec"]["endpoint"]["port"], passphrase=secret) as receiver,
        Receiver.calling(listener["spec"]["endpoint"]["port"], passphrase="wrong " + secret[:9]),
    ):
        call = product.start(endpoint={"mode": "caller", "host": "127.0.0.1", "port": port}, encryption=encryption)
        wrongly_asked = [
            product.post("/api/streams", product.document(encryption={**encryption, "key_bits": 192})),
            product.post("/api/streams", product.document(encryption={"key_bits": 256, "passphrase": secret * 3})),
            product.post("/api/streams", product.document(encryption=encryption, latency_ms=1)),
            product.post("/api/streams", product.document(encryption=secret)),
            product.post("/api/streams", secret.encode()),
        ]
        assert {answer.status for answer in wrongly_asked} == {400}
        product.wait_for_phase(call["key"], "backing_off")
        product.wait_for_phase(listener["key"], "delivering")
        receiver.wait_for_bytes(1_000_000)
        assert refusing.figures().bytes == 0
        seen = [
            *((f"answer {number}", answer.body) for number, answer in enumerate(wrongly_asked)),
            *answers(product, [listener["key"], call["key"]]),
            *files(product.folder),
            *processes(),
            ("standard output", product.web.output().encode()),
            ("standard error", product.web.complaints().encode()),
        ]
    assert len(seen) > 40
    leaks = [where for where, data in seen for form in forms_of(secret) if form in data]
    assert not leaks


def test_the_keys_of_the_installation_stay_with_the_web_process(product: Product) -> None:
    view = product.start()
    own = {product.environment["SECRET_KEY"], product.api_key}
    web = f"/proc/{product.web.pid}/"
    seen = [
        *answers(product, [view["key"]]),
        *files(product.folder),
        *((where, data) for where, data in processes() if not where.startswith(web)),
        (f"{web}cmdline", Path(f"{web}cmdline").read_bytes()),
    ]
    assert any(f"/proc/{view['worker']['pid']}/environ" == where for where, _ in seen)
    assert not [where for where, data in seen for key in own if key.encode() in data]


def test_what_the_product_keeps_is_for_its_user_only(product: Product) -> None:
    product.start(encryption={"key_bits": 128, "passphrase": "ten letters"})
    for name in ("data", "runtime"):
        for path in (product.folder / name).rglob("*"):
            if not path.is_symlink():
                assert not path.stat().st_mode & 0o007, f"{path} is open to others"
