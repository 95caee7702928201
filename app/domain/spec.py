"""What an operator asks a stream to be: the spec, its parts and every rule about them.

This is the only validation in the product: the form, the API and the command line all end in `parse_spec`.
Rules that need the machine (does the file exist, is the port free) live with whoever can look.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal, cast

import msgspec

from app.domain import names
from app.domain.constants import (
    LATENCY_MS_HIGHEST,
    LATENCY_MS_LOWEST,
    OVERHEAD_PERCENT_ASKED,
    PASSPHRASE_BYTES,
    SMOOTHING_LATENCY_MS,
)
from app.domain.errors import InvalidInput
from app.domain.secret import Secret

LATENCY_MS = (LATENCY_MS_LOWEST, LATENCY_MS_HIGHEST)
OVERHEAD_PERCENT = OVERHEAD_PERCENT_ASKED


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A frozen part of a spec that refuses fields it does not know."""


class ListenerEndpoint(_Part, frozen=True, tag_field="mode", tag="listener"):
    """Wait for receivers on a UDP port of this host."""

    port: int


class CallerEndpoint(_Part, frozen=True, tag_field="mode", tag="caller"):
    """Call a receiver that listens; `host` is an IP address or an RFC 1123 name."""

    host: str
    port: int


class FileSource(_Part, frozen=True, tag_field="kind", tag="file"):
    """A transport stream file; `path` is relative to the media folder, with `/` between folders."""

    path: str
    loop: bool = True


class MulticastSource(_Part, frozen=True, tag_field="kind", tag="multicast"):
    """A group to join. `interface` is a name or `auto`; `source_ip` asks a source-specific join (RFC 4607)."""

    address: str
    port: int
    interface: str = "auto"
    protocol: Literal["udp", "rtp"] = "udp"
    source_ip: str | None = None


class BarsSource(_Part, frozen=True, tag_field="kind", tag="bars"):
    """Colour bars with a 1 kHz tone and a running clock, made by the worker itself."""

    format: Literal["720p50", "1080i25"] = "720p50"


class Encryption(_Part, frozen=True):
    """AES with a pre-shared passphrase of 10 to 79 bytes (libsrt's limit, counted in UTF-8)."""

    key_bits: Literal[128, 256]
    passphrase: Secret


Endpoint = ListenerEndpoint | CallerEndpoint
Source = FileSource | MulticastSource | BarsSource


class StreamSpec(_Part, frozen=True):
    """One SRT output with its source, as asked; what is really applied is the worker's to tell."""

    endpoint: Endpoint
    source: Source
    name: str = ""
    latency_ms: int = 200
    overhead_percent: int = 25
    smoothing_latency_ms: int = 30
    encryption: Encryption | None = None
    qos: bool = True

    def label(self) -> str:
        """The operator's name for the stream, or one made from source and endpoint."""
        return self.name or f"{source_label(self.source)} → {endpoint_label(self.endpoint)}"


def endpoint_label(endpoint: Endpoint) -> str:
    """Say the endpoint in a few words: `listener :10001`, `caller 192.0.2.10:9000`."""
    if isinstance(endpoint, ListenerEndpoint):
        return f"listener :{endpoint.port}"
    return f"caller {host_and_port(endpoint.host, endpoint.port)}"


def host_and_port(host: str, port: int) -> str:
    """`192.0.2.10:9000`, and `[2001:db8::1]:9000` for an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def source_label(source: Source) -> str:
    """Say the source in a few words: the file's path, the group's address and port, the bars' format."""
    if isinstance(source, FileSource):
        return source.path
    if isinstance(source, MulticastSource):
        return f"{source.address}:{source.port}"
    return f"bars {source.format}"


def parse_spec(document: object, *, listener_ports: Collection[int]) -> StreamSpec:
    """Make a StreamSpec of a decoded JSON object, or raise InvalidInput naming every field that is wrong.

    `listener_ports` are the ports a listener may use. The passphrase is wrapped in a Secret here and nowhere else.
    """
    try:
        spec = msgspec.convert(document, StreamSpec, dec_hook=_wrap_secret)
    except msgspec.ValidationError as error:
        raise InvalidInput.of(_field_of(str(error))) from None
    problems = dict(_problems(spec, listener_ports))
    if problems:
        raise InvalidInput.of(problems)
    return spec


def public_spec(spec: StreamSpec) -> dict[str, Any]:
    """The spec as JSON-ready data without the passphrase: encryption keeps only its key length."""
    shown = msgspec.structs.replace(spec, encryption=None)
    document = cast(dict[str, Any], msgspec.to_builtins(shown))
    if spec.encryption is not None:
        document["encryption"] = {"key_bits": spec.encryption.key_bits}
    return document


def _wrap_secret(kind: type, value: object) -> object:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError("expected a text")


def _field_of(message: str) -> dict[str, str]:
    """Turn msgspec's `Expected int, got str - at $.endpoint.port` into a field and a sentence."""
    what, _, path = message.partition(" - at `$")
    field = path.rstrip("`").lstrip(".") or "stream"
    for prefix in ("Object contains unknown field `", "Object missing required field `"):
        if what.startswith(prefix):
            name = what[len(prefix) :].rstrip("`")
            field = name if field == "stream" else f"{field}.{name}"
            what = "this field is not known; remove it" if "unknown" in prefix else "this field is missing"
    return {field: what}


def _problems(spec: StreamSpec, listener_ports: Collection[int]) -> Mapping[str, str]:
    found: dict[str, str | None] = {
        "name": names.problem_with_label(spec.name),
        "latency_ms": _outside(spec.latency_ms, LATENCY_MS, "ms"),
        "overhead_percent": _outside(spec.overhead_percent, OVERHEAD_PERCENT, "%"),
        "smoothing_latency_ms": _outside(spec.smoothing_latency_ms, SMOOTHING_LATENCY_MS, "ms"),
        **_endpoint_problems(spec.endpoint, listener_ports),
        **_source_problems(spec.source),
    }
    if spec.encryption is not None:
        found["encryption.passphrase"] = problem_with_passphrase(spec.encryption.passphrase)
    return {field: problem for field, problem in found.items() if problem}


def problem_with_passphrase(passphrase: Secret) -> str | None:
    """Say what is wrong with a passphrase, or None. The text never quotes the passphrase."""
    low, high = PASSPHRASE_BYTES
    if not low <= (size := passphrase.size_bytes()) <= high:
        return f"a passphrase has {low} to {high} bytes, this one has {size}; letters like å count as two"
    if any(not character.isprintable() for character in passphrase.reveal()):
        return "a passphrase has no line breaks or other control characters"
    return None


def _endpoint_problems(endpoint: Endpoint, listener_ports: Collection[int]) -> dict[str, str | None]:
    if isinstance(endpoint, CallerEndpoint):
        return {
            "endpoint.host": names.problem_with_host(endpoint.host),
            "endpoint.port": _outside(endpoint.port, (1, 65535), ""),
        }
    if endpoint.port in listener_ports:
        return {}
    return {"endpoint.port": f"{endpoint.port} is not among the listener ports {_span(listener_ports)}; choose one"}


def _source_problems(source: Source) -> dict[str, str | None]:
    if isinstance(source, FileSource):
        return {"source.path": names.problem_with_media_path(source.path)}
    if isinstance(source, MulticastSource):
        return {
            "source.address": names.problem_with_group(source.address),
            "source.port": _outside(source.port, (1, 65535), ""),
            "source.interface": names.problem_with_interface(source.interface),
            "source.source_ip": names.problem_with_source_ip(source.source_ip),
        }
    return {}


def _outside(value: int, bounds: tuple[int, int], unit: str) -> str | None:
    low, high = bounds
    if low <= value <= high:
        return None
    return f"{value} is outside {low} to {high}{' ' + unit if unit else ''}"


def _span(ports: Collection[int]) -> str:
    ordered = sorted(ports)
    if not ordered:
        return "(none are configured)"
    if ordered == list(range(ordered[0], ordered[-1] + 1)):
        return f"{ordered[0]}-{ordered[-1]}" if len(ordered) > 1 else str(ordered[0])
    return ", ".join(map(str, ordered))
