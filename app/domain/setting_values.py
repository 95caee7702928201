"""Parsers for each kind of setting. Each raises ValueError with the remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal, get_args

from app.domain.names import problem_with_host
from app.domain.secret import Secret
from app.domain.spec.send import SendEngine
from app.domain.web_address import problem_with_https_address

SECRET_KEY_CHARACTERS: Final = 32
API_KEY_CHARACTERS: Final = 32
_MAKE_KEY: Final = "make one with: python3 -c 'import secrets; print(secrets.token_hex(32))'"
LauncherName = Literal["local", "pacemaker"]
ENVIRONMENTS: Final = ("production", "development")
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off", ""})


def parse_secret_key(text: str) -> Secret:
    """Read the key that signs sessions and encrypts stored passphrases."""
    if len(text) < SECRET_KEY_CHARACTERS:
        raise ValueError(f"at least {SECRET_KEY_CHARACTERS} characters are needed, this has {len(text)}; {_MAKE_KEY}")
    return Secret(text)


def parse_api_key(text: str) -> Secret:
    """Read the key that scripts send in a header."""
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("an API key is sent in a header: use ASCII letters, digits and punctuation only, no spaces")
    if len(text) < API_KEY_CHARACTERS:
        raise ValueError(f"at least {API_KEY_CHARACTERS} characters are needed, this has {len(text)}; {_MAKE_KEY}")
    return Secret(text)


def parse_host(text: str) -> str:
    """Read an IP address or a host name."""
    if problem := problem_with_host(text):
        raise ValueError(problem)
    return text


def parse_hosts(text: str) -> tuple[str, ...]:
    """Read names as a browser sends them, without port, in lower case; a leading dot stands for all names below."""
    names = tuple(part.strip().lower().removesuffix(".") for part in text.split(","))
    for name in names:
        if problem := problem_with_host(name.removeprefix(".")):
            raise ValueError(f"write names like mcr.example.org, separated by commas, not {name!r}: {problem}")
    return names


def parse_https(text: str) -> str:
    """Read an https:// address."""
    if problem := problem_with_https_address(text):
        raise ValueError(problem)
    return text


def parse_webhook(text: str) -> str:
    """Read an http:// or https:// address."""
    if problem := problem_with_https_address(text, ("http", "https")):
        raise ValueError(problem)
    return text


def parse_database_url(text: str) -> str:
    """Read an SQLAlchemy address of SQLite or PostgreSQL."""
    # The error does not quote the address, which may contain a password.
    if not re.match(r"(sqlite|postgresql(\+psycopg)?)://", text):
        raise ValueError("write sqlite:////PATH or postgresql://USER:…@HOST/NAME")
    return text


def between(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from `low` to `high`."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", text) or not low <= int(text) <= high:
            raise ValueError(f"write a whole number from {low} to {high}, not {text!r}")
        return int(text)

    return parse


def parse_ports(text: str) -> tuple[int, ...]:
    """Read `10001-10010`, `10001,10005` or a mixture, as ascending ports."""
    ports: set[int] = set()
    for part in text.split(","):
        span = re.fullmatch(r"\s*([0-9]{1,5})\s*(?:-\s*([0-9]{1,5})\s*)?", part)
        low, high = (int(span[1]), int(span[2] or span[1])) if span else (0, 0)
        if not 1 <= low <= high <= 65535:
            raise ValueError(f"write ports like 10001-10010 or 10001,10005, each from 1 to 65535, not {text!r}")
        ports.update(range(low, high + 1))
    return tuple(sorted(ports))


def parse_switch(text: str) -> bool:
    """Read a switch."""
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError(f"write 1 or 0, not {text!r}")


def parse_flask_env(text: str) -> str:
    """Read the environment in which Flask runs."""
    if text not in ENVIRONMENTS:
        raise ValueError(f"write one of {', '.join(ENVIRONMENTS)}, not {text!r}")
    return text


def parse_launcher(text: str) -> str:
    """Read the name of a launcher, which places streams on hosts."""
    if text not in get_args(LauncherName):
        raise ValueError(f"write one of {', '.join(get_args(LauncherName))}, not {text!r}")
    return text


def parse_engine(text: str) -> str:
    """Read the name of a sending engine."""
    if text not in get_args(SendEngine):
        raise ValueError(f"write one of {', '.join(get_args(SendEngine))}, not {text!r}")
    return text
