"""The address that the server names at its start."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

import wsgi
from app.domain.secret import Secret
from app.settings import Settings


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:5001/"),
        ("::1", "http://[::1]:5001/"),
        ("0.0.0.0", f"http://{socket.gethostname()}:5001/"),
        ("::", f"http://{socket.gethostname()}:5001/"),
    ],
)
def test_the_address_can_be_opened_from_where_the_server_is_reached(host: str, address: str, tmp_path: Path) -> None:
    settings = Settings(secret_key=Secret("s" * 32), host=host, port=5001, runtime_folder=tmp_path)

    assert wsgi._address_to_open(settings) == address
