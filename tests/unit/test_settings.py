"""The values that environment variables may have, and the errors for other values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.domain.secret import Secret
from app.settings import BadSettings, make_folders, read_settings

GOOD = {"SECRET_KEY": "k" * 32}


def test_a_secret_key_is_all_that_must_be_given() -> None:
    settings = read_settings(GOOD)

    assert settings.secret_key == Secret("k" * 32)
    assert (settings.host, settings.port, settings.threads) == ("127.0.0.1", 5000, 8)
    assert settings.listener_ports == tuple(range(10001, 10011))
    assert settings.max_streams == 10
    assert settings.api_key is None
    assert settings.qos_dscp == 34
    assert settings.offline is False
    assert settings.flask_env == "production"
    assert settings.media_folder.is_absolute()
    assert settings.log_file == Path("/var/log/srt-streamer/srt_streamer.log")
    assert settings.database_url.startswith(f"sqlite:///{settings.data_folder}")


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(BadSettings) as caught:
        read_settings(
            {"SECRET_KEY": "short", "PORT": "0", "THREADS": "many", "LISTENER_PORTS": "9-1", "OFFLINE": "maybe"}
        )

    assert set(caught.value.problems) == {"SECRET_KEY", "PORT", "THREADS", "LISTENER_PORTS", "OFFLINE"}
    assert "short" not in caught.value.problems["SECRET_KEY"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "k" * 31),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "５０００"),
        ("THREADS", "1"),
        ("MAX_STREAMS", "0"),
        ("QOS_DSCP", "64"),
        ("LISTENER_PORTS", "10001-"),
        ("LISTENER_PORTS", "10001,,10002"),
        ("LISTENER_PORTS", "65530-65536"),
        ("API_KEY", "two words"),
        ("API_KEY", "nyckelå"),
        ("HOST", "-evil"),
        ("FLASK_ENV", "prod"),
        ("FLASK_ENV", "testing"),
        ("RUNTIME_FOLDER", "/tmp/" + "x" * 90),
        ("API_KEY", "x" * 31),
    ],
)
def test_a_value_that_cannot_work_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(BadSettings) as caught:
        read_settings({**GOOD, name: text})

    assert set(caught.value.problems) == {name}


@pytest.mark.parametrize(
    ("text", "ports"),
    [("10001", (10001,)), ("9000-9002", (9000, 9001, 9002)), ("9002, 9000 - 9001,9002", (9000, 9001, 9002))],
)
def test_listener_ports_are_ranges_and_lists(text: str, ports: Any) -> None:
    assert read_settings({**GOOD, "LISTENER_PORTS": text}).listener_ports == ports


def test_an_empty_variable_means_the_default() -> None:
    assert read_settings({**GOOD, "PORT": "", "API_KEY": " "}).api_key is None


def test_no_secret_shows_when_settings_are_printed() -> None:
    settings = read_settings({**GOOD, "API_KEY": "open-sesame" * 3, "DATABASE_URL": "postgresql://u:hunter2@db/x"})

    for secret in ("k" * 32, "open-sesame", "hunter2"):
        assert secret not in repr(settings)


def test_sockets_go_to_the_session_folder_when_there_is_one(tmp_path: Path) -> None:
    with_session = read_settings({**GOOD, "XDG_RUNTIME_DIR": str(tmp_path)})
    without = read_settings({**GOOD, "DATA_FOLDER": "/srv/data"})

    assert with_session.runtime_folder == tmp_path / "mcr-srt-streamer"
    assert without.runtime_folder == Path("/srv/data/run")


def test_the_folders_that_hold_sockets_and_the_store_are_for_this_user_only(tmp_path: Path) -> None:
    settings = read_settings(
        {
            **GOOD,
            "DATA_FOLDER": str(tmp_path / "data"),
            "MEDIA_FOLDER": str(tmp_path / "media"),
            "RUNTIME_FOLDER": str(tmp_path / "run"),
        }
    )

    make_folders(settings)

    assert settings.data_folder.stat().st_mode & 0o777 == 0o700
    assert settings.runtime_folder.stat().st_mode & 0o777 == 0o700
    assert settings.media_folder.is_dir()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    settings = read_settings({**GOOD, "DATA_FOLDER": str(blocked), "RUNTIME_FOLDER": str(tmp_path / "run")})

    with pytest.raises(BadSettings) as caught:
        make_folders(settings)

    assert "DATA_FOLDER" in caught.value.problems


def test_trusted_hosts_are_names_in_lower_case_without_a_closing_dot() -> None:
    assert read_settings({**GOOD, "TRUSTED_HOSTS": "MCR.example.org, .example.net."}).trusted_hosts == (
        "mcr.example.org",
        ".example.net",
    )
    for wrong in ("http://mcr.example.org", "mcr.example.org:5000", "a,,b", "*"):
        with pytest.raises(BadSettings) as caught:
            read_settings({**GOOD, "TRUSTED_HOSTS": wrong})
        assert caught.value.problems.keys() == {"TRUSTED_HOSTS"}


def test_a_database_of_a_kind_that_is_not_supported_is_named_without_its_password() -> None:
    with pytest.raises(BadSettings) as caught:
        read_settings({**GOOD, "DATABASE_URL": "mysql://u:hunter2@db/x"})
    assert caught.value.problems.keys() == {"DATABASE_URL"}
    assert "hunter2" not in str(caught.value)
    for right in ("sqlite:////srv/store", "postgresql://u@db/x", "postgresql+psycopg:///x?host=/run/postgresql"):
        assert read_settings({**GOOD, "DATABASE_URL": right}).database_url == right
