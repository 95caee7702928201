"""The version, the libraries and the settings in force, without secrets."""

from __future__ import annotations

import platform
import sqlite3
import ssl
from collections.abc import Sequence
from dataclasses import fields
from typing import Annotated, Final
from urllib.parse import urlsplit

from app.domain.hosts import HostEntry
from app.domain.secret import Secret
from app.domain.version import VERSION
from app.machine.versions import Versions, remark_on_libsrt, warnings_about
from app.settings import Settings
from app.store.opening import parse_url
from app.web.presenters.counter_views import View, described

LICENCE: Final = "BSD 2-Clause"


class LibraryView(View, frozen=True):
    """A program or library that this product uses."""

    name: str
    version: Annotated[str | None, described("null while it is not known")]
    remark: str | None


class VariableView(View, frozen=True):
    """A setting in force."""

    name: Annotated[str, described("The environment variable")]
    value: Annotated[str, described("Secrets are never shown")]
    is_default: bool
    meaning: str


class AboutView(View, frozen=True):
    """The version, what it runs on and its settings."""

    version: str
    licence: str
    are_versions_known: Annotated[bool, described("False for the first seconds after a start")]
    libraries: list[LibraryView]
    warnings: list[str]
    settings: list[VariableView]


def present_about(settings: Settings, versions: Versions) -> AboutView:
    """Return the contents of the page About."""
    return AboutView(
        version=VERSION,
        licence=LICENCE,
        are_versions_known=versions.is_known,
        libraries=_libraries(versions),
        warnings=warnings_about(versions),
        settings=_settings(settings),
    )


def _libraries(versions: Versions) -> list[LibraryView]:
    named: list[tuple[str, str | None, str | None]] = [
        ("Python", platform.python_version(), None),
        ("GStreamer", versions.gstreamer, None),
        ("libsrt", versions.libsrt_package or versions.libsrt, remark_on_libsrt(versions)),
        ("FFmpeg", versions.ffmpeg, None),
        ("OpenSSL", ssl.OPENSSL_VERSION.removeprefix("OpenSSL "), "used by Python"),
        ("SQLite", sqlite3.sqlite_version, "used by Python"),
        ("Kernel", f"{platform.system()} {platform.release()}", None),
    ]
    return [LibraryView(name=name, version=version, remark=remark) for name, version, remark in named]


def _settings(settings: Settings) -> list[VariableView]:
    return [
        VariableView(
            name=each.name.upper(),
            value=_shown(each.name, getattr(settings, each.name)),
            is_default=getattr(settings, each.name) == each.default,
            meaning=each.metadata["description"].replace("`", ""),
        )
        for each in fields(Settings)
    ]


def _shown(name: str, value: object) -> str:
    match value:
        case Secret():
            return "set, hidden"
        case None | () | "":
            return "none"
        case bool():
            return "1" if value else "0"
        case tuple():
            return ", ".join(_spans(value)) if name == "listener_ports" else ", ".join(map(_item, value))
        case str() if name == "database_url":
            # The query may contain a password too.
            return parse_url(value).set(query={}).render_as_string(hide_password=True)
        case str() if value.startswith("https://"):
            return _without_query(value)
        case _:
            return str(value)


def _item(value: object) -> str:
    return f"{value.name} ({value.url})" if isinstance(value, HostEntry) else str(value)


def _without_query(address: str) -> str:
    """Return an address without its query, which may contain a token."""
    parts = urlsplit(address)
    return parts._replace(query="…" if parts.query else "").geturl()


def _spans(ports: Sequence[int]) -> list[str]:
    """Return ascending ports as people write them: 10001-10010."""
    spans: list[tuple[int, int]] = []
    for port in ports:
        if spans and port == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], port)
        else:
            spans.append((port, port))
    return [str(low) if low == high else f"{low}-{high}" for low, high in spans]
