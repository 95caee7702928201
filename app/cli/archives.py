"""Backup and restore of an installation's data: the store, the lists in the data folder, and the SECRET_KEY."""

from __future__ import annotations

import contextlib
import hmac
import io
import os
import sqlite3
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

KEY_NAME: Final = "secret_key"
_STORE_NAME: Final = "store.sqlite3"
_LISTS: Final = "*.json"
_MEMBER_BYTES_MAX: Final = 2**31


class BackupFailed(Exception):
    """A backup cannot be made or restored; the text says why."""


def back_up(settings: Settings, archive: Path) -> list[str]:
    """Write the archive, readable by this user only, and return the names in it. The server may be running.

    Streams, events and presets in PostgreSQL are not included (see `store_elsewhere`). Raises BackupFailed or OSError.
    An incomplete archive never gets the requested name.
    """
    database = _database_file(settings)
    if database is not None and not database.exists():
        raise BackupFailed(f"there is no store at {database}")
    unfinished = archive.with_name(f".{archive.name}.unfinished")
    names: list[str] = []
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as tar:
            for name, content in _contents(settings, database):
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(content), 0o600
                tar.addfile(member, io.BytesIO(content))
                names.append(name)
        unfinished.replace(archive)
    finally:
        unfinished.unlink(missing_ok=True)
    return names


def restore(settings: Settings, archive: Path) -> tuple[list[str], bool]:
    """Put the archive's files back. Return their names, and whether the archive has another SECRET_KEY.

    The server must not be running. Raises BackupFailed if the archive is not valid; nothing is changed then.
    """
    database = _database_file(settings)
    contents = _read(archive)
    if KEY_NAME not in contents:
        raise BackupFailed(f"{archive} holds no {KEY_NAME}: it is not a backup of this program")
    if database is None and _STORE_NAME in contents:
        raise BackupFailed(f"{archive} holds a SQLite store, and DATABASE_URL names another kind: unset it to restore")
    if database is not None and _STORE_NAME not in contents:
        raise BackupFailed(f"{archive} was made with PostgreSQL and holds no {_STORE_NAME}: set DATABASE_URL first")
    key = contents.pop(KEY_NAME).decode()
    targets = {settings.data_folder / name: content for name, content in contents.items() if name != _STORE_NAME}
    if database is not None:
        targets[database] = contents[_STORE_NAME]
        _remove_journal(database)
    settings.data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for target, content in targets.items():
        _replace(target, content)
    return [target.name for target in targets], not hmac.compare_digest(key, settings.secret_key.reveal())


def _database_url(settings: Settings) -> URL:
    # Imported here, because loading SQLAlchemy doubles the start time of every other command.
    from app.store.opening import parse_url

    return parse_url(settings.database_url)


def store_elsewhere(settings: Settings) -> str | None:
    """Say which data a backup leaves out and which command saves it; None with SQLite, where nothing is left out."""
    if _database_file(settings) is not None:
        return None
    url = _database_url(settings)
    # The password stays out: every user can read a command line. pg_dump asks for it, or reads ~/.pgpass.
    places = {"host": url.host or url.query.get("host"), "port": url.port, "username": url.username}
    options = " ".join(f"--{name}={value}" for name, value in places.items() if value)
    return (
        f"Streams, events and presets are NOT in it, they are in the {url.get_backend_name()} server. Save them with\n"
        f"  pg_dump --format=custom --file=streams.dump {options} {url.database or ''}\n"
        "and put them back with pg_restore --clean."
    )


def _remove_journal(database: Path) -> None:
    for leftover in ("-wal", "-shm"):  # SQLite would replay the old store's journal into the new one
        database.with_name(database.name + leftover).unlink(missing_ok=True)


def _contents(settings: Settings, database: Path | None) -> list[tuple[str, bytes]]:
    lists = sorted(settings.data_folder.glob(_LISTS))
    return [
        *([] if database is None else [(_STORE_NAME, _copy_of(database))]),
        *((path.name, path.read_bytes()) for path in lists),
        (KEY_NAME, settings.secret_key.reveal().encode()),
    ]


def _copy_of(database: Path) -> bytes:
    """Return a consistent copy, made while the server may write (SQLite's online backup)."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        with (
            contextlib.closing(sqlite3.connect(database)) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        return copy.read_bytes()


def _read(archive: Path) -> dict[str, bytes]:
    """Return the archive's plain files by name. Names with folders are refused, because they could lead anywhere."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                if not member.isfile() or "/" in member.name or member.name.startswith("."):
                    raise BackupFailed(
                        f"{archive} holds {member.name!r}, which does not belong to a backup of this program"
                    )
                if member.size > _MEMBER_BYTES_MAX:
                    raise BackupFailed(f"{archive} holds {member.name!r} of {member.size} bytes, too large")
                file = tar.extractfile(member)
                found[member.name] = file.read() if file is not None else b""
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise BackupFailed(f"{archive} is not a .tar.gz archive: {error}") from None
    return found


def _replace(target: Path, content: bytes) -> None:
    """Write a file next to its target and rename it. It gets the owner of the data folder."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    unfinished.write_bytes(content)
    unfinished.chmod(0o600)
    if os.geteuid() == 0:
        owner = target.parent.stat()
        os.chown(unfinished, owner.st_uid, owner.st_gid)
    unfinished.replace(target)


def _database_file(settings: Settings) -> Path | None:
    """Return the path of the SQLite file, None with a database server."""
    url = _database_url(settings)
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    return Path(url.database)
