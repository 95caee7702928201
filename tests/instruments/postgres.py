"""A PostgreSQL server of the tests' own: in a folder of its own, on a Unix socket, gone when the tests are."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import psycopg

from tests.instruments.child import Child
from tests.instruments.waiting import wait_for

_USER = "srt"


class Postgres:
    """A running server: `with Postgres() as server: url = server.new_database()`."""

    def __init__(self) -> None:
        """Make a cluster and start it. The server refuses to run as root: it then runs as `nobody`."""
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._databases = 0
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            self._as_user = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
        cluster = self._folder / "cluster"
        self._run(_program("initdb"), "-A", "trust", "-U", _USER, "--no-sync", "-D", str(cluster))
        self._server = Child(
            [*self._as_user, _program("postgres"), "-D", cluster, "-k", self._folder, "-c", "listen_addresses="],
            cwd=self._folder,
        )
        try:
            wait_for(self._answers, deadline_s=30, what=f"PostgreSQL; {self._server.complaints()}")
        except BaseException:
            self.close()
            raise

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
        with psycopg.connect(host=str(self._folder), user=_USER, dbname="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def new_database(self) -> str:
        """The URL of an empty database, as DATABASE_URL has it."""
        self._databases += 1
        name = f"store{self._databases}"
        self._do(f"CREATE DATABASE {name}")
        return f"postgresql:///{name}?host={self._folder}&user={_USER}"

    def close(self) -> None:
        """Stop it and remove everything."""
        self._server.close(deadline_s=10)
        shutil.rmtree(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _program(name: str) -> str:
    """Debian keeps the server's programs, by version, where PATH does not lead."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    found = str(debian[-1]) if debian else shutil.which(name)
    assert found, f"{name} is not installed: the package is postgresql (Debian) or postgresql-server (RPM)"
    return found
