"""Labels of the inputs that the API names in dotted form: `source.path` is labelled File."""

from __future__ import annotations

from typing import Final

_LABELS: Final = {
    "endpoint.port": "Port",
    "endpoint.host": "Host",
    "endpoint.mode": "Mode",
    "listen_port": "Port",
    "target.host": "Target host",
    "target.port": "Target port",
    "source.kind": "Source",
    "source.path": "File",
    "source.address": "Group",
    "source.port": "Group port",
    "source.source_ip": "Source address",
    "source.format": "Format of the bars",
    "encryption.key_bits": "Key length",
    "stream_id": "Stream ID",
    "qos": "QoS",
    "receiver.host": "Host of the receiver",
    "receiver.key": "Receiver",
}
_UNITS: Final = ("_ms", "_percent", "_mbps", "_bps", "_s")


def field_label(name: str) -> str:
    """Return the label of a field. The default is the last part of its name in words, without its unit."""
    if name in _LABELS:
        return _LABELS[name]
    leaf = name.rpartition(".")[2]
    for unit in _UNITS:
        leaf = leaf.removesuffix(unit)
    return leaf.replace("_", " ").capitalize()
