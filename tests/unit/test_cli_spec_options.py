"""The command line's options for the settings of a spec: each setting has one, with its default, and it arrives."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from app.cli.commands import cli
from app.cli.documents import receive_document, stream_document
from app.cli.spec_options import option_of
from app.cli.streams import start
from app.domain.spec import ReceiveSpec, SendSpec
from app.domain.spec.fields import settings_of

ASKED: dict[str, Any] = {
    "listener": 10001,
    "caller": None,
    "path": None,
    "multicast": None,
    "bars": "720p50",
    "key_bits": None,
    "record": None,
    "forward": None,
}


class FakeApi:
    def __init__(self) -> None:
        self.document: dict[str, Any] = {}

    def post(self, _path: str, document: dict[str, Any]) -> dict[str, Any]:
        self.document = document
        return {"key": "abcdef", "phase": "starting", "phase_text": "Starting", "reason_text": None, "label": "bars"}


def ordered(*arguments: str) -> dict[str, Any]:
    """Return the document that `mcr start` sends for these options."""
    api = FakeApi()
    done = CliRunner().invoke(start, ["--listener", "10001", "--bars", "720p50", *arguments], obj=api)
    assert done.exit_code == 0, done.output
    return api.document


@pytest.mark.parametrize("setting", settings_of(SendSpec).values(), ids=lambda setting: setting.name)
def test_each_setting_of_a_send_stream_is_an_option_with_its_default(setting: Any) -> None:
    (option,) = [each for each in start.params if isinstance(each, click.Option) and each.name == setting.name]
    assert option_of(setting) in option.opts
    assert ordered().get(setting.name) == setting.default


def test_what_is_asked_arrives() -> None:
    asked = ordered("--latency", "350", "--overhead", "40", "--no-qos", "--engine", "gstreamer", "--name", "news")
    assert (asked["latency_ms"], asked["overhead_percent"], asked["qos"]) == (350, 40, False)
    assert (asked["engine"], asked["name"]) == ("gstreamer", "news")


def test_the_documents_hold_what_a_spec_takes_and_no_more() -> None:
    settings = {name: setting.default for name, setting in settings_of(SendSpec).items()}
    assert set(stream_document(ASKED | settings, None)) <= set(SendSpec.__struct_fields__)
    settings = {name: setting.default for name, setting in settings_of(ReceiveSpec).items()}
    assert set(receive_document(ASKED | settings, None)) - {"direction"} <= set(ReceiveSpec.__struct_fields__)


def commands_in(command: click.Command) -> list[click.Command]:
    """Return the command and all commands below it."""
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return [command, *(each for child in below for each in commands_in(child))]


def test_every_option_of_every_command_has_a_help_text() -> None:
    options = [
        (command.name, param.opts)
        for command in commands_in(cli)
        for param in command.params
        if isinstance(param, click.Option) and not param.help
    ]
    assert options == []
