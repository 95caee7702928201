"""Makes command-line options from the descriptions of a spec's settings, so that a new setting needs no edit here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click
import msgspec

from app.domain.spec.fields import Kind, Setting, settings_of

F = TypeVar("F", bound=Callable[..., Any])
_UNITS: Final = ("_ms", "_percent", "_mbps")


def spec_options(spec: type[msgspec.Struct]) -> Callable[[F], F]:
    """Add an option for each described setting of a spec. The server checks the values, because it names the remedy."""

    def add(command: F) -> F:
        for name, setting in reversed(settings_of(spec).items()):
            command = click.option(_declared(setting), name, **_details(setting))(command)
        return command

    return add


def settings_document(spec: type[msgspec.Struct], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a spec as the API accepts them, without those that were left empty."""
    return {name: asked[name] for name in settings_of(spec) if asked.get(name) is not None}


def option_of(setting: Setting) -> str:
    """Return the name of an option: that of the setting, without its unit."""
    name = next((setting.name.removesuffix(unit) for unit in _UNITS if setting.name.endswith(unit)), setting.name)
    return f"--{name.replace('_', '-')}"


def _declared(setting: Setting) -> str:
    option = option_of(setting)
    return f"{option}/--no-{option.removeprefix('--')}" if setting.kind is Kind.SWITCH else option


def _details(setting: Setting) -> dict[str, Any]:
    details: dict[str, Any] = {
        "help": f"{'; '.join(filter(None, (setting.description or setting.title, setting.bounds_text())))}.",
        "default": setting.default,
        "show_default": setting.default not in (None, ""),
    }
    match setting.kind:
        case Kind.NUMBER:
            return details | {"type": int, "metavar": _metavar(setting)}
        case Kind.CHOICE:
            return details | {"type": click.Choice(setting.choices)}
        case Kind.TEXT:
            return details | {"type": str, "metavar": "TEXT"}
        case Kind.SWITCH:
            return details


def _metavar(setting: Setting) -> str:
    return {"%": "PERCENT", "": "NUMBER"}.get(setting.unit, setting.unit.upper())
