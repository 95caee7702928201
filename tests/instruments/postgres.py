"""A PostgreSQL server only for tests, with a separate folder and port. It ends with the tests."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psutil
import psycopg

from tests.instruments.child import Child
from tests.instruments.waiting import free_port, wait_for

_USER = "srt"


class Postgres:
    """A running server: `with Postgres() as server: url = server.new_database()`. Tests can stop and freeze it."""

    def __init__(self) -> None:
        """Create a database cluster and start the server. As root, run it as `nobody`: PostgreSQL refuses root."""
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._databases = 0
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            self._as_user = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
        self.password = "Q" + secrets.token_hex(16)
        self._port = free_port()
        self._cluster = self._folder / "cluster"
        with (self._folder / "password").open("w") as file:
            file.write(self.password)
            os.fchmod(file.fileno(), 0o644)  # the server's user must be able to read it
        self._run(
            _program("initdb"),
            *("-A", "trust", "--auth-host=scram-sha-256", "-U", _USER, f"--pwfile={self._folder / 'password'}"),
            *("--no-sync", "-D", str(self._cluster)),
        )
        self.start()

    def start(self) -> None:
        """Start the server with the same folder and port."""
        self._server = Child(
            [
                *self._as_user,
                *(_program("postgres"), "-D", self._cluster, "-k", self._folder, "-p", str(self._port)),
                *("-c", "listen_addresses=127.0.0.1"),
            ],
            cwd=self._folder,
        )
        try:
            wait_for(self._answers, deadline_s=30, what=f"PostgreSQL; {self._server.complaints()}")
        except BaseException:
            self.close()
            raise

    def stop(self) -> None:
        """Stop the server with a fast shutdown: its clients lose their connections."""
        self._server.process.send_signal(signal.SIGINT)
        self._server.wait(deadline_s=20)
        self._server.close()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Suspend the server inside the `with` block: the kernel accepts connections, but nothing answers."""
        main = psutil.Process(self._server.pid)
        processes = [main, *main.children(recursive=True)]
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()

    def _run(self, *argv: str) -> None:
        done = subprocess.run(
            [*self._as_user, *argv], cwd=self._folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            self._do("SELECT 1")
            return True
        return False

    def _do(self, statement: str) -> None:
        with psycopg.connect(
            host=str(self._folder), port=self._port, user=_USER, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement.encode())

    def new_database(self) -> str:
        """Create an empty database and return its URL for DATABASE_URL: over TCP, with a password."""
        self._databases += 1
        name = f"store{self._databases}"
        self._do(f"CREATE DATABASE {name}")
        return f"postgresql://{_USER}:{self.password}@127.0.0.1:{self._port}/{name}"

    def close(self) -> None:
        """Stop the server and remove its folder."""
        if self._server.is_running():
            self.stop()
        shutil.rmtree(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _program(name: str) -> str:
    """Return the path of a server program. Debian installs them in a folder per version, outside PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    found = str(debian[-1]) if debian else shutil.which(name)
    assert found, f"{name} is not installed: the package is postgresql (Debian) or postgresql-server (RPM)"
    return found
