"""The settings of this installation, read once from the environment and frozen.

Each variable is one field of `Settings`: its name in upper case, its default, its parser and its description.
`read_settings` reports every problem at once. `make_folders` makes the folders; nothing else here writes to the disk.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from app.domain import setting_values as values
from app.domain.constants import RECEIVERS_MAX
from app.domain.hosts import HostEntry, parse_hosts
from app.domain.impairment.targets import PRIVATE, checked_relay_targets
from app.domain.secret import Secret
from app.domain.spec.send import SendEngine

PROJECT_FOLDER: Final = Path(__file__).resolve().parent.parent
# sockaddr_un.sun_path has 108 bytes with the closing zero (unix(7)); the name of a worker's socket needs some.
RUNTIME_FOLDER_BYTES: Final = 80
SHIPPED_CHANNELS_FILE: Final = PROJECT_FOLDER / "app" / "data" / "iptv_channels.json"
_DATABASE_NAME: Final = "srt_streamer.sqlite3"


class BadSettings(Exception):
    """The environment does not describe a usable installation. `problems` maps variables to sentences."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("\n".join(f"{name}: {text}" for name, text in problems.items()))
        self.problems = dict(problems)


def _variable(default: Any, parse: Callable[[str], Any], text: str) -> Any:
    """Return a setting for the environment variable with the field's name in upper case."""
    return field(default=default, metadata={"parse": parse, "description": text})


def _folder(text: str) -> Path:
    return PROJECT_FOLDER / Path(text).expanduser()


def _read_hosts(text: str) -> tuple[HostEntry, ...]:
    """Read the list itself, or the file that contains it."""
    if text.startswith("["):
        return parse_hosts(text)
    try:
        return parse_hosts(_folder(text).read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{text} cannot be read: {error}; write the list there, or in the variable") from None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one installation. Folders are absolute; ports ascend; without an `api_key` no script has access.

    `database_url` may contain a password, so `repr` leaves it out.
    """

    secret_key: Secret = _variable(None, values.parse_secret_key, "Signs sessions and encrypts stored passphrases.")
    host: str = _variable("127.0.0.1", values.parse_host, "The address that the web server binds.")
    port: int = _variable(5000, values.between(1, 65535), "The web server's TCP port.")
    threads: int = _variable(8, values.between(2, 64), "Threads of the web server.")
    data_folder: Path = _variable(PROJECT_FOLDER / "app" / "data", _folder, "Holds the store, caches and lists.")
    database_url: str = field(
        default="", repr=False, metadata={"parse": values.parse_database_url, "description": "The store."}
    )
    runtime_folder: Path = _variable(None, _folder, "Holds the workers' sockets.")
    media_folder: Path = _variable(PROJECT_FOLDER / "media", _folder, "Holds the transport stream files.")
    log_file: Path = _variable(Path("/var/log/srt-streamer/srt_streamer.log"), _folder, "The program's log.")
    listener_ports: tuple[int, ...] = _variable(
        tuple(range(10001, 10011)), values.parse_ports, "UDP ports that listeners may use."
    )
    max_streams: int = _variable(10, values.between(1, 500), "Streams that may run at the same time.")
    max_receivers: int = _variable(
        RECEIVERS_MAX, values.between(1, 1000), "Receivers that one listener serves at the same time."
    )
    default_engine: SendEngine = _variable("auto", values.parse_engine, "The engine of streams that name none.")
    writes_per_minute: int = _variable(600, values.between(1, 999_999), "Changes that one address may make per minute.")
    trusted_hosts: tuple[str, ...] = _variable((), values.parse_hosts, "Names under which browsers reach the server.")
    api_key: Secret | None = _variable(None, values.parse_api_key, "The key that scripts send.")
    qos_dscp: int = _variable(34, values.between(0, 63), "The DSCP of streams with QoS.")
    hosts: tuple[HostEntry, ...] = _variable((), _read_hosts, "The other installations that the hosts page shows.")
    launcher: values.LauncherName = _variable("local", values.parse_launcher, "What places streams on hosts.")
    fleet_key_file: Path = _variable(
        Path("/etc/mcr-srt-streamer/fleet_key"), _folder, "The key that the hosts of a cluster share."
    )
    line_up_webhook: str = _variable("", values.parse_webhook, "Receives the verdict of each line-up test as JSON.")
    relay_targets: str = _variable(PRIVATE, checked_relay_targets, "Networks that a relay may send to.")
    offline: bool = _variable(False, values.parse_switch, "Never ask the internet.")
    iperf3_servers_url: str = _variable(
        "https://export.iperf3serverlist.net/listed_iperf3_servers.json",
        values.parse_https,
        "The list of public iperf3 servers.",
    )
    external_ip_url: str = _variable("https://ipinfo.io/json", values.parse_https, "Reports the public IP address.")
    flask_env: str = _variable(
        "production", values.parse_flask_env, "`development` reloads page templates that change on the disk."
    )

    @property
    def channels_file(self) -> Path:
        """Return this installation's list of multicast channels; SHIPPED_CHANNELS_FILE is used if it does not exist."""
        return self.data_folder / SHIPPED_CHANNELS_FILE.name


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables. Raises BadSettings, which names every problem.

    Relative folders are below the project's folder, wherever the program was started.
    """
    given = {each.name: environ.get(each.name.upper(), "").strip() for each in fields(Settings)}
    problems: dict[str, str] = {}
    found: dict[str, Any] = {}
    for each in fields(Settings):
        if not given[each.name] and each.name != "secret_key":
            continue
        try:
            found[each.name] = each.metadata["parse"](given[each.name])
        except ValueError as error:
            problems[each.name.upper()] = str(error)
    data_folder = found.get("data_folder", Settings.data_folder)
    found.setdefault("database_url", f"sqlite:///{data_folder / _DATABASE_NAME}")
    found.setdefault("runtime_folder", _runtime_folder(environ.get("XDG_RUNTIME_DIR", "").strip(), data_folder))
    if len(str(found["runtime_folder"]).encode()) > RUNTIME_FOLDER_BYTES:
        problems["RUNTIME_FOLDER"] = (
            f"{found['runtime_folder']} is longer than {RUNTIME_FOLDER_BYTES} bytes, too long for Unix sockets in it; "
            "name a shorter one"
        )
    if problems:
        raise BadSettings(problems)
    return Settings(**found)


# run.sh keeps these in files of the data folder, with these names in lower case.
_KEPT_KEYS: Final = ("SECRET_KEY", "API_KEY")


def with_kept_keys(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment, with the keys that run.sh keeps in the data folder for those that are not set."""
    data_folder = _folder(environ.get("DATA_FOLDER", "").strip() or str(Settings.data_folder))
    kept: dict[str, str] = {}
    for name in _KEPT_KEYS:
        if environ.get(name, "").strip():
            continue
        with contextlib.suppress(OSError, UnicodeDecodeError):
            kept[name] = (data_folder / name.lower()).read_text(encoding="ascii").strip()
    return {**environ, **kept}


def _runtime_folder(session_folder: str, data_folder: Path) -> Path:
    """Return the default: a folder of the login session if there is one, else one in the data folder."""
    has_session = bool(session_folder) and Path(session_folder).is_dir()
    return Path(session_folder) / "mcr-srt-streamer" if has_session else data_folder / "run"


def make_folders(settings: Settings) -> None:
    """Make missing data, runtime and media folders. Raises BadSettings if that fails.

    The runtime folder has sockets that accept orders and the data folder has the store: both are for this user only.
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
