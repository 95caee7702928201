"""An HTTPS server on loopback with its own certificate. A test chooses its answer: correct, wrong or endless."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

Answer = Callable[[ssl.SSLSocket, threading.Event], None]


def body(content: bytes, status: str = "200 OK", headers: str = "") -> Answer:
    """Return an answer with this body, status and further header lines."""

    def answer(connection: ssl.SSLSocket, _: threading.Event) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n{headers}\r\n"
        connection.sendall(head.encode() + content)

    return answer


def endless(connection: ssl.SSLSocket, closing: threading.Event) -> None:
    """Answer with a body that does not end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[")
    while not closing.is_set():
        connection.sendall(b" " * 65536)


def drip(connection: ssl.SSLSocket, closing: threading.Event) -> None:
    """Answer one byte at a time without end, so that no read of the client times out."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[")
    while not closing.wait(0.05):
        connection.sendall(b" ")


def silent(_: ssl.SSLSocket, closing: threading.Event) -> None:
    """Accept the request and do not answer."""
    closing.wait(60)


class HttpsServer:
    """Serves `answer` to every client: `with HttpsServer(tmp_path, body(b"[]")) as server: …server.address`."""

    def __init__(self, folder: Path, answer: Answer) -> None:
        self.certificate = folder / "certificate.pem"
        key = folder / "key.pem"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-keyout", str(key), "-out", str(self.certificate), "-days", "2", "-subj", "/CN=localhost"),
                *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            ],
            check=True,
            capture_output=True,
        )
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, key)
        self._answer = answer
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.requests: list[bytes] = []
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def address(self) -> str:
        """The URL that the server answers."""
        return f"https://localhost:{self._listener.getsockname()[1]}/list.json"

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        # A client may disconnect at any time: tests check that clients stop reading such answers.
        with contextlib.suppress(OSError), self._context.wrap_socket(plain, server_side=True) as connection:
            connection.settimeout(10)
            self.requests.append(connection.recv(65536))
            self._answer(connection, self._closing)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        end = time.monotonic() + 15
        for thread in self._threads:
            thread.join(max(0.1, end - time.monotonic()))
