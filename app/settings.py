"""What the environment says about this installation, read once and frozen.

`read_settings` names every problem at once, so that an installation is mended in one go. `make_folders` is the only
thing here that touches the disk. The names are the contract of docs/configuration.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from app.domain.names import problem_with_host
from app.domain.secret import Secret
from app.domain.web_address import problem_with_https_address

PROJECT_FOLDER: Final = Path(__file__).resolve().parent.parent
SECRET_KEY_CHARACTERS: Final = 32
# sockaddr_un.sun_path has 108 bytes with the closing zero (unix(7)); a worker's socket name needs some of them.
RUNTIME_FOLDER_BYTES: Final = 80
SHIPPED_CHANNELS_FILE: Final = PROJECT_FOLDER / "app" / "data" / "iptv_channels.json"
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off", ""})
_ENVIRONMENTS: Final = ("production", "development", "testing")

T = TypeVar("T")


class BadSettings(Exception):
    """The environment does not describe an installation that could run. `problems` maps variables to sentences."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("\n".join(f"{name}: {text}" for name, text in problems.items()))
        self.problems = dict(problems)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One installation. Folders are absolute; ports ascend; `api_key` None means that no script may call.

    `database_url` may hold a password and is therefore kept out of `repr`.
    """

    secret_key: Secret
    data_folder: Path
    runtime_folder: Path
    media_folder: Path
    log_file: Path
    database_url: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 5000
    threads: int = 8
    listener_ports: tuple[int, ...] = tuple(range(10001, 10011))
    max_streams: int = 10
    writes_per_minute: int = 600
    trusted_hosts: tuple[str, ...] = ()
    api_key: Secret | None = None
    qos_dscp: int = 34
    offline: bool = False
    iperf3_servers_url: str = "https://export.iperf3serverlist.net/listed_iperf3_servers.json"
    external_ip_url: str = "https://ipinfo.io/json"
    flask_env: str = "production"

    @property
    def channels_file(self) -> Path:
        """This house's list of multicast channels; while there is none, SHIPPED_CHANNELS_FILE stands in."""
        return self.data_folder / SHIPPED_CHANNELS_FILE.name


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables; raises BadSettings with all that is wrong.

    Relative folders are below the project's folder, wherever the program was started from.
    """
    reader = _Reader(environ)
    data_folder = reader.folder("DATA_FOLDER", PROJECT_FOLDER / "app" / "data")
    database_url = reader.get("DATABASE_URL", f"sqlite:///{data_folder / 'srt_streamer.sqlite3'}", _parse_database_url)
    secret_key = Secret(reader.get("SECRET_KEY", "", _parse_secret_key))
    host = reader.get("HOST", "127.0.0.1", _parse_host)
    port = reader.get("PORT", 5000, _between(1, 65535))
    threads = reader.get("THREADS", 8, _between(2, 64))
    media_folder = reader.folder("MEDIA_FOLDER", PROJECT_FOLDER / "media")
    runtime_folder = _runtime_folder(reader, data_folder)
    log_file = reader.folder("LOG_FILE", Path("/var/log/srt-streamer/srt_streamer.log"))
    listener_ports = reader.get("LISTENER_PORTS", tuple(range(10001, 10011)), _parse_ports)
    max_streams = reader.get("MAX_STREAMS", 10, _between(1, 500))
    writes_per_minute = reader.get("WRITES_PER_MINUTE", 600, _between(1, 999_999))
    trusted_hosts = reader.get("TRUSTED_HOSTS", Settings.trusted_hosts, _parse_hosts)
    api_key = reader.get("API_KEY", None, _parse_api_key)
    qos_dscp = reader.get("QOS_DSCP", 34, _between(0, 63))
    offline = reader.get("OFFLINE", False, _parse_switch)
    iperf3_servers_url = reader.get("IPERF3_SERVERS_URL", Settings.iperf3_servers_url, _parse_https)
    external_ip_url = reader.get("EXTERNAL_IP_URL", Settings.external_ip_url, _parse_https)
    flask_env = reader.get("FLASK_ENV", "production", _parse_flask_env)
    if reader.problems:
        raise BadSettings(reader.problems)
    return Settings(
        secret_key=secret_key,
        data_folder=data_folder,
        runtime_folder=runtime_folder,
        media_folder=media_folder,
        log_file=log_file,
        database_url=database_url,
        host=host,
        port=port,
        threads=threads,
        listener_ports=listener_ports,
        max_streams=max_streams,
        writes_per_minute=writes_per_minute,
        trusted_hosts=trusted_hosts,
        api_key=api_key,
        qos_dscp=qos_dscp,
        offline=offline,
        iperf3_servers_url=iperf3_servers_url,
        external_ip_url=external_ip_url,
        flask_env=flask_env,
    )


def make_folders(settings: Settings) -> None:
    """Make the data, runtime and media folders where they are missing; raises BadSettings when that fails.

    The runtime folder holds sockets that give orders and the data folder holds the store: both are for this user only.
    """
    problems = {}
    wanted = {
        "DATA_FOLDER": (settings.data_folder, 0o700),
        "RUNTIME_FOLDER": (settings.runtime_folder, 0o700),
        "MEDIA_FOLDER": (settings.media_folder, 0o755),
    }
    for name, (folder, mode) in wanted.items():
        try:
            folder.mkdir(mode=mode, parents=True, exist_ok=True)
        except OSError as error:
            problems[name] = f"{folder} cannot be made: {error.strerror}"
    if not problems:
        try:
            settings.runtime_folder.chmod(0o700)
        except OSError as error:
            problems["RUNTIME_FOLDER"] = f"{settings.runtime_folder} must belong to this user: {error.strerror}"
    if problems:
        raise BadSettings(problems)


class _Reader:
    """Reads variables and collects what is wrong with them instead of stopping at the first."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: dict[str, str] = {}

    def text(self, name: str) -> str:
        return self._environ.get(name, "").strip()

    def get(self, name: str, default: T, parse: Callable[[str], T]) -> T:
        """Give the parsed variable, or the default when it is empty; only SECRET_KEY's parser sees an empty one."""
        text = self.text(name)
        if not text and name != "SECRET_KEY":
            return default
        try:
            return parse(text)
        except ValueError as error:
            self.problems[name] = str(error)
            return default

    def folder(self, name: str, default: Path) -> Path:
        text = self.text(name)
        return PROJECT_FOLDER / Path(text).expanduser() if text else default


def _runtime_folder(reader: _Reader, data_folder: Path) -> Path:
    xdg = reader.text("XDG_RUNTIME_DIR")
    default = Path(xdg) / "mcr-srt-streamer" if xdg and Path(xdg).is_dir() else data_folder / "run"
    folder = reader.folder("RUNTIME_FOLDER", default)
    if len(str(folder).encode()) > RUNTIME_FOLDER_BYTES:
        reader.problems["RUNTIME_FOLDER"] = (
            f"{folder} is longer than {RUNTIME_FOLDER_BYTES} bytes, too long for Unix sockets in it; name a shorter one"
        )
    return folder


def _parse_secret_key(text: str) -> str:
    if len(text) < SECRET_KEY_CHARACTERS:
        raise ValueError(
            f"at least {SECRET_KEY_CHARACTERS} characters are needed, this has {len(text)}; "
            "make one with: python3 -c 'import secrets; print(secrets.token_hex(32))'"
        )
    return text


def _parse_api_key(text: str) -> Secret:
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("an API key travels in a header: ASCII letters, digits and punctuation only, no spaces")
    return Secret(text)


def _parse_host(text: str) -> str:
    if problem := problem_with_host(text):
        raise ValueError(problem)
    return text


def _parse_hosts(text: str) -> tuple[str, ...]:
    """Read names as a browser sends them, without port, in lower case; a leading dot stands for all names below."""
    names = tuple(part.strip().lower().removesuffix(".") for part in text.split(","))
    for name in names:
        if problem := problem_with_host(name.removeprefix(".")):
            raise ValueError(f"give names like mcr.example.org, separated by commas, not {name!r}: {problem}")
    return names


def _parse_https(text: str) -> str:
    if problem := problem_with_https_address(text):
        raise ValueError(problem)
    return text


def _parse_database_url(text: str) -> str:
    # The sentence quotes nothing of it: there may be a password.
    if not re.match(r"(sqlite|postgresql(\+psycopg)?)://", text):
        raise ValueError("give sqlite:////PATH or postgresql://USER:…@HOST/NAME")
    return text


def _between(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", text) or not low <= int(text) <= high:
            raise ValueError(f"give a whole number from {low} to {high}, not {text!r}")
        return int(text)

    return parse


def _parse_ports(text: str) -> tuple[int, ...]:
    """Read `10001-10010`, `10001,10005` or a mixture, as ascending ports."""
    ports: set[int] = set()
    for part in text.split(","):
        span = re.fullmatch(r"\s*([0-9]{1,5})\s*(?:-\s*([0-9]{1,5})\s*)?", part)
        low, high = (int(span[1]), int(span[2] or span[1])) if span else (0, 0)
        if not 1 <= low <= high <= 65535:
            raise ValueError(f"give ports like 10001-10010 or 10001,10005, each from 1 to 65535, not {text!r}")
        ports.update(range(low, high + 1))
    return tuple(sorted(ports))


def _parse_switch(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError(f"give 1 or 0, not {text!r}")


def _parse_flask_env(text: str) -> str:
    if text not in _ENVIRONMENTS:
        raise ValueError(f"give one of {', '.join(_ENVIRONMENTS)}, not {text!r}")
    return text
