"""The forms that start a stream. They turn texts into the API's document; the rules are domain.spec's alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from app.domain.errors import InvalidInput
from app.domain.spec import JobSpec, parse_spec

# Which form field answers for which field of the spec, by name in error messages too.
FIELD_OF_SPEC: Final[Mapping[str, str]] = {
    "name": "name",
    "endpoint.host": "host",
    "endpoint.port": "port",
    "source.kind": "source_kind",
    "source.path": "path",
    "source.loop": "loop",
    "source.address": "address",
    "source.port": "group_port",
    "source.interface": "interface",
    "source.protocol": "protocol",
    "source.source_ip": "source_ip",
    "source.format": "bars_format",
    "latency_ms": "latency_ms",
    "overhead_percent": "overhead_percent",
    "smoothing_latency_ms": "smoothing_latency_ms",
    "encryption.key_bits": "key_bits",
    "encryption.passphrase": "passphrase",
    "qos": "qos",
}
SPEC_OF_FIELD: Final[Mapping[str, str]] = {field: spec for spec, field in FIELD_OF_SPEC.items()}
_NUMBER_STAND_INS: Final = {
    "port": 1,
    "group_port": 1,
    "latency_ms": 200,
    "overhead_percent": 25,
    "smoothing_latency_ms": 30,
}


def _choices(*pairs: tuple[str, str]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in pairs]


_KEY_BITS: Final = {"128": 128, "256": 256}


class StreamForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """What both kinds of stream are asked."""

    name = StringField("Name")
    port = StringField("Port")
    source_kind = RadioField(
        "Source", choices=_choices(("file", "File"), ("multicast", "Multicast"), ("bars", "Bars")), default="file"
    )
    path = StringField("File")
    loop = BooleanField("Loop", default=True)
    address = StringField("Group")
    group_port = StringField("Port")
    interface = StringField("Interface", default="auto")
    protocol = SelectField("Protocol", choices=_choices(("udp", "UDP"), ("rtp", "RTP")), default="udp")
    source_ip = StringField("Source address")
    bars_format = SelectField(
        "Format", choices=_choices(("720p50", "720p50"), ("1080i25", "1080i25")), default="720p50"
    )
    latency_ms = StringField("Latency", default="200")
    overhead_percent = StringField("Overhead", default="25")
    smoothing_latency_ms = StringField("Smoothing", default="30")
    key_bits = SelectField(
        "Encryption", choices=_choices(("0", "None"), ("128", "AES-128"), ("256", "AES-256")), default="0"
    )
    # WTForms never writes a password back into a page.
    passphrase = PasswordField("Passphrase")
    qos = BooleanField("QoS", default=True)
    mode = ""

    def to_spec(self, listener_ports: tuple[int, ...]) -> JobSpec:
        """Give the spec that the form asks for; raises InvalidInput naming every wrong field as in the API."""
        problems: dict[str, str] = {}
        document = self._to_document(problems)
        try:
            spec = parse_spec(document, listener_ports=listener_ports)
        except InvalidInput as error:
            raise InvalidInput.of({**error.fields, **problems}) from None
        if problems:
            raise InvalidInput.of(problems)
        return spec

    def show_problems(self, fields: Mapping[str, str]) -> None:
        """Put problems named as in the API beside the fields of the page."""
        for spec_field, text in fields.items():
            if (name := FIELD_OF_SPEC.get(spec_field)) in self:
                self[name].errors = [*self[name].errors, text]

    def _to_document(self, problems: dict[str, str]) -> dict[str, Any]:
        bits = self.key_bits.data or "0"
        passphrase = self.passphrase.data or ""
        return {
            "name": (self.name.data or "").strip(),
            "endpoint": self._endpoint(problems),
            "source": self._source(problems),
            "latency_ms": self._number("latency_ms", problems),
            "overhead_percent": self._number("overhead_percent", problems),
            "smoothing_latency_ms": self._number("smoothing_latency_ms", problems),
            # What is no choice of the list goes on as it is, to be named by the one who judges.
            "encryption": None if bits == "0" else {"key_bits": _KEY_BITS.get(bits, bits), "passphrase": passphrase},
            "qos": bool(self.qos.data),
        }

    def _endpoint(self, problems: dict[str, str]) -> dict[str, Any]:
        return {"mode": self.mode, "port": self._number("port", problems)}

    def _source(self, problems: dict[str, str]) -> dict[str, Any]:
        kind = self.source_kind.data
        if kind == "multicast":
            return {
                "kind": "multicast",
                "address": (self.address.data or "").strip(),
                "port": self._number("group_port", problems),
                "interface": (self.interface.data or "auto").strip(),
                "protocol": self.protocol.data,
                "source_ip": (self.source_ip.data or "").strip() or None,
            }
        if kind == "bars":
            return {"kind": "bars", "format": self.bars_format.data}
        return {"kind": kind or "file", "path": self.path.data or "", "loop": bool(self.loop.data)}

    def _number(self, name: str, problems: dict[str, str]) -> int:
        """Give a field as a number. A stand-in takes a bad one's place, so that the other fields are judged too."""
        text = (self[name].data or "").strip()
        if re.fullmatch(r"-?[0-9]{1,9}", text):
            return int(text)
        problems[SPEC_OF_FIELD[name]] = "give a whole number" if text else "give a number"
        return _NUMBER_STAND_INS[name]


class ListenerForm(StreamForm):
    """Start a listener on one of this host's ports."""

    mode = "listener"


class CallerForm(StreamForm):
    """Call a receiver that listens."""

    mode = "caller"
    host = StringField("Host")

    def _endpoint(self, problems: dict[str, str]) -> dict[str, Any]:
        return {**super()._endpoint(problems), "host": (self.host.data or "").strip()}
