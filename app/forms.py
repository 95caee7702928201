"""The form of a send stream. It turns texts into the API's document; `app.domain.spec` has the rules.

Its fields, their titles, bounds and defaults come from the descriptions in the spec: a new setting needs nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from wtforms import BooleanField, Field, PasswordField, RadioField, SelectField, StringField

from app.domain.json_value import JsonObject
from app.domain.spec import (
    BarsSource,
    CallerEndpoint,
    FileSource,
    JobSpec,
    Mode,
    MulticastSource,
    SendSpec,
    public_spec,
)
from app.domain.spec.fields import Kind, Setting, settings_of
from app.spec_form import SpecForm, choices_of

SETTINGS: Final = settings_of(SendSpec)
_SOURCES: Final = {
    str(part.__struct_config__.tag): settings_of(part) for part in (BarsSource, FileSource, MulticastSource)
}
_SOURCE_TITLES: Final = {"bars": "Bars", "file": "File", "multicast": "Multicast"}
_FIELD_NAMES: Final = {"port": "group_port", "format": "bars_format"}
_KEY_BITS: Final = {"128": 128, "256": 256}


def _field_name(source_setting: str) -> str:
    return _FIELD_NAMES.get(source_setting, source_setting)


# The form field for each field of the spec, also in error messages.
FIELD_OF_SPEC: Final[Mapping[str, str]] = {
    **{name: name for name in SETTINGS},
    **{f"source.{name}": _field_name(name) for part in _SOURCES.values() for name in part},
    "source.kind": "source_kind",
    "endpoint.mode": "mode",
    "endpoint.host": "host",
    "endpoint.port": "port",
    "encryption.key_bits": "key_bits",
    "encryption.passphrase": "passphrase",
}
SWITCHES: Final = frozenset(
    FIELD_OF_SPEC.get(name, _field_name(name))
    for part in (SETTINGS, *_SOURCES.values())
    for name, setting in part.items()
    if setting.kind is Kind.SWITCH
)


class StreamForm(SpecForm):
    """The fields of a send stream. Those of settings are added below, from their descriptions."""

    mode = RadioField(
        "Mode",
        choices=choices_of((Mode.LISTENER.value, "Listener"), (Mode.CALLER.value, "Caller")),
        default=Mode.LISTENER,
    )
    host = StringField(settings_of(CallerEndpoint)["host"].title)
    port = StringField("Port")
    source_kind = RadioField("Source", choices=choices_of(*_SOURCE_TITLES.items()), default="bars")
    key_bits = SelectField(
        "Encryption", choices=choices_of(("0", "None"), ("128", "AES-128"), ("256", "AES-256")), default="0"
    )
    # WTForms never writes a password back into a page.
    passphrase = PasswordField("Passphrase")

    def show_problems(self, fields: Mapping[str, str]) -> None:
        """Show problems, named as in the API, next to the fields of the page."""
        for spec_field, text in fields.items():
            if (name := FIELD_OF_SPEC.get(spec_field)) in self:
                self[name].errors = [*self[name].errors, text]

    def has_advanced_problem(self) -> bool:
        """Whether a setting that is collapsed has a problem that must be shown."""
        return any(self[name].errors for name, setting in SETTINGS.items() if setting.is_advanced)

    def _to_document(self, problems: dict[str, str]) -> JsonObject:
        bits = self.key_bits.data or "0"
        # An unknown choice is passed on unchanged: parse_spec names it.
        encryption = None if bits == "0" else {"key_bits": _KEY_BITS.get(bits, bits)}
        if encryption is not None:
            encryption["passphrase"] = self.passphrase.data or ""
        return {
            "endpoint": self._endpoint(problems),
            "source": self._source(problems),
            "encryption": encryption,
            **{name: self._value(name, name, setting, problems) for name, setting in SETTINGS.items()},
        }

    def _endpoint(self, problems: dict[str, str]) -> JsonObject:
        endpoint = {
            "mode": self.mode.data or Mode.LISTENER.value,
            "port": self._number("port", "endpoint.port", 1, problems),
        }
        if self.mode.data == Mode.CALLER.value:
            endpoint["host"] = (self.host.data or "").strip()
        return endpoint

    def _source(self, problems: dict[str, str]) -> JsonObject:
        kind = self.source_kind.data or "bars"
        settings = _SOURCES.get(kind, {})
        return {
            "kind": kind,
            **{
                name: self._value(_field_name(name), f"source.{name}", setting, problems)
                for name, setting in settings.items()
            },
        }

    def _value(self, field: str, path: str, setting: Setting, problems: dict[str, str]) -> Any:
        data = self[field].data
        match setting.kind:
            case Kind.SWITCH:
                return bool(data)
            case Kind.NUMBER if setting.is_optional and not str(data or "").strip():
                return None
            case Kind.NUMBER:
                return self._number(field, path, setting.default or setting.low or 1, problems)
            case Kind.CHOICE | Kind.TEXT:
                text = str(data or "")
                # A file's name may begin or end with a space.
                text = text if field == "path" else text.strip()
                return text or setting.default or (None if setting.is_optional else "")

    def _number(self, field: str, path: str, stand_in: int, problems: dict[str, str]) -> int:
        """Return a field as a number. A placeholder replaces an invalid one, so that other fields are checked too."""
        text = str(self[field].data or "").strip()
        if re.fullmatch(r"-?[0-9]{1,9}", text):
            return int(text)
        problems[path] = "enter a whole number" if text else "enter a number"
        return stand_in


def _field_for(setting: Setting) -> Field:
    match setting.kind:
        case Kind.SWITCH:
            return BooleanField(setting.title, default=bool(setting.default))
        case Kind.CHOICE:
            choices = choices_of(*((choice, choice) for choice in setting.choices))
            return SelectField(setting.title, choices=choices, default=setting.default)
        case Kind.NUMBER | Kind.TEXT:
            return StringField(setting.title, default="" if setting.default is None else str(setting.default))


for _part in (*_SOURCES.values(), SETTINGS):
    for _name, _setting in _part.items():
        setattr(StreamForm, FIELD_OF_SPEC[_name] if _part is SETTINGS else _field_name(_name), _field_for(_setting))


def data_of(spec: JobSpec) -> JsonObject:
    """Return a send stream as the form's fields, without its passphrase; empty for another kind of job."""
    if not isinstance(spec, SendSpec):
        return {}
    document = public_spec(spec)
    for part, values in (("endpoint", spec.endpoint), ("source", spec.source)):
        document |= {f"{part}.{name}": value for name, value in msgspec.to_builtins(values).items()}
    found = {FIELD_OF_SPEC[path]: value for path, value in document.items() if path in FIELD_OF_SPEC}
    found["key_bits"] = str(spec.encryption.key_bits) if spec.encryption is not None else "0"
    return {name: value if name in SWITCHES else _text(value) for name, value in found.items()}


def _text(value: object) -> str:
    return "" if value is None else str(value)
