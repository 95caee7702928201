"""The form of receive streams. It turns texts into the API's document; domain.spec has the rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from wtforms import BooleanField, PasswordField, RadioField, SelectField, StringField

from app.domain.json_value import JsonObject
from app.domain.spec import ReceiveSpec
from app.spec_form import SpecForm, choices_of

FIELD_OF_SPEC: Final[Mapping[str, str]] = {
    "name": "name",
    "group": "group",
    "endpoint.mode": "mode",
    "endpoint.host": "host",
    "endpoint.port": "port",
    "latency_ms": "latency_ms",
    "stream_id": "stream_id",
    "encryption.key_bits": "key_bits",
    "encryption.passphrase": "passphrase",
    "record": "is_recorded",
    "record.name": "record_name",
    "record.file_minutes": "file_minutes",
    "record.file_megabytes": "file_megabytes",
    "forward": "is_forwarded",
    "forward.address": "forward_address",
    "forward.port": "forward_port",
    "forward.interface": "forward_interface",
    "forward.ttl": "forward_ttl",
    "forward.protocol": "forward_protocol",
    "picture": "picture",
    "loudness": "loudness",
}
_STAND_INS: Final = {"latency_ms": 200}
_KEY_BITS: Final = {"128": 128, "256": 256}


class ReceiveForm(SpecForm):
    """The settings of a receive stream."""

    name = StringField("Name")
    group = StringField("Group")
    mode = RadioField(
        "Mode", choices=choices_of(("listener", "Wait for a sender"), ("caller", "Call a sender")), default="listener"
    )
    host = StringField("Host")
    port = StringField("Port")
    listener_port = StringField("Port")
    latency_ms = StringField("Latency", default="200")
    stream_id = StringField("Stream ID")
    key_bits = SelectField(
        "Encryption", choices=choices_of(("0", "None"), ("128", "AES-128"), ("256", "AES-256")), default="0"
    )
    passphrase = PasswordField("Passphrase")
    is_recorded = BooleanField("Record")
    record_name = StringField("Name of the files", default="recording")
    file_minutes = StringField("New file after")
    file_megabytes = StringField("or after")
    is_forwarded = BooleanField("Forward")
    forward_address = StringField("Address")
    forward_port = StringField("Port")
    forward_interface = StringField("Interface", default="auto")
    forward_ttl = StringField("TTL", default="1")
    forward_protocol = SelectField("Protocol", choices=choices_of(("udp", "UDP"), ("rtp", "RTP")), default="udp")
    picture = BooleanField("Picture")
    loudness = BooleanField("Loudness")

    def show_problems(self, fields: Mapping[str, str]) -> None:
        """Show problems, named as in the API, next to the fields of the page."""
        for spec_field, text in fields.items():
            name = FIELD_OF_SPEC.get(spec_field)
            if name == "port" and self.mode.data != "caller":
                name = "listener_port"
            if name in self:
                self[name].errors = [*self[name].errors, text]

    def _to_document(self, problems: dict[str, str]) -> JsonObject:
        bits = self.key_bits.data or "0"
        encryption = {"key_bits": _KEY_BITS.get(bits, bits), "passphrase": self.passphrase.data or ""}
        return {
            "direction": "receive",
            "name": (self.name.data or "").strip(),
            "group": (self.group.data or "").strip(),
            "endpoint": self._endpoint(problems),
            "latency_ms": self._number("latency_ms", "latency_ms", problems),
            "stream_id": (self.stream_id.data or "").strip() or None,
            "encryption": None if bits == "0" else encryption,
            "record": self._record(problems) if self.is_recorded.data else None,
            "forward": self._forward(problems) if self.is_forwarded.data else None,
            "picture": bool(self.picture.data),
            "loudness": bool(self.loudness.data),
        }

    def _record(self, problems: dict[str, str]) -> dict[str, Any]:
        return {
            "name": (self.record_name.data or "").strip(),
            "file_minutes": self._optional_number("file_minutes", "record.file_minutes", problems),
            "file_megabytes": self._optional_number("file_megabytes", "record.file_megabytes", problems),
        }

    def _forward(self, problems: dict[str, str]) -> dict[str, Any]:
        return {
            "address": (self.forward_address.data or "").strip(),
            "port": self._number("forward_port", "forward.port", problems),
            "interface": (self.forward_interface.data or "").strip() or "auto",
            "ttl": self._number("forward_ttl", "forward.ttl", problems),
            "protocol": self.forward_protocol.data or "udp",
        }

    def _endpoint(self, problems: dict[str, str]) -> dict[str, Any]:
        if self.mode.data == "caller":
            port = self._number("port", "endpoint.port", problems)
            return {"mode": "caller", "host": (self.host.data or "").strip(), "port": port}
        return {"mode": "listener", "port": self._number("listener_port", "endpoint.port", problems)}

    def _optional_number(self, name: str, spec_field: str, problems: dict[str, str]) -> int | None:
        """Return a field as a number, None if it is empty."""
        return self._number(name, spec_field, problems) if (self[name].data or "").strip() else None

    def _number(self, name: str, spec_field: str, problems: dict[str, str]) -> int:
        """Return a field as a number. A placeholder replaces an invalid one, so that other fields are checked too."""
        text = (self[name].data or "").strip()
        if re.fullmatch(r"-?[0-9]{1,9}", text):
            return int(text)
        problems[spec_field] = "enter a whole number" if text else "enter a number"
        return _STAND_INS.get(name, 1)


def receive_data_of(spec: ReceiveSpec) -> JsonObject:
    """Return a receive stream as the form's fields, without its passphrase. A missing output keeps its defaults."""
    document: JsonObject = {"name": spec.name, "group": spec.group, "latency_ms": spec.latency_ms}
    document |= {"stream_id": spec.stream_id, "picture": spec.picture, "loudness": spec.loudness}
    for part, values in (("endpoint", spec.endpoint), ("record", spec.record), ("forward", spec.forward)):
        if values is not None:
            document |= {f"{part}.{name}": value for name, value in msgspec.to_builtins(values).items()}
    found = {FIELD_OF_SPEC[path]: value for path, value in document.items()}
    if spec.local_port() is not None:
        found["listener_port"] = found.pop("port")
    found |= {"is_recorded": spec.record is not None, "is_forwarded": spec.forward is not None}
    found["key_bits"] = spec.encryption.key_bits if spec.encryption is not None else 0
    return {name: value if isinstance(value, bool) else _text(value) for name, value in found.items()}


def _text(value: object) -> str:
    return "" if value is None else str(value)
