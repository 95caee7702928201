"""The state of the cluster: its hosts, its streams, and which host carries which. Pure reading of XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import msgspec

from app.domain.status import Phase
from app.fleet.resources import PHASE_ATTRIBUTE, is_of_stream, key_of


class Host(msgspec.Struct, frozen=True):
    """A host of the cluster. A host on standby carries no streams."""

    name: str
    is_online: bool = False
    is_on_standby: bool = False


class Ordered(msgspec.Struct, frozen=True):
    """A stream in the cluster's configuration."""

    parcel: str
    is_wanted: bool


class View(msgspec.Struct, frozen=True):
    """The cluster at one moment. `carriers` has the host of each running stream, `phases` the phase that host reports.

    `failures` are failed actions, in pacemaker's words; `faults` has the last one of each stream.
    """

    hosts: tuple[Host, ...] = ()
    has_quorum: bool = False
    has_fencing: bool = False
    stops_without_quorum: bool = False
    carriers: dict[str, str] = {}
    phases: dict[str, Phase] = {}
    ordered: dict[str, Ordered] = {}
    failures: tuple[str, ...] = ()
    faults: dict[str, str] = {}

    def warning(self) -> str | None:
        """Why this cluster could send a stream twice, or not at all; None when no problem is known."""
        if not self.has_quorum:
            return "The cluster has no quorum here: this host carries no streams until it reaches the others."
        if self.has_fencing:
            return None
        if len(self.hosts) == 2:
            return (
                "The cluster has two hosts and no fencing: if they lose contact, both send every stream. "
                "Add a third host, a quorum device or fencing."
            )
        if not self.stops_without_quorum:
            return "no-quorum-policy is not stop: a host that is cut off continues to send. Set it to stop."
        return None


def parse_view(monitor: ET.Element, configuration: ET.Element) -> View:
    """Read the output of crm_mon and cibadmin."""
    options = monitor.find("./summary/cluster_options")
    option = {} if options is None else options.attrib
    carriers = _carriers(monitor)
    return View(
        hosts=tuple(
            Host(node.get("name", ""), node.get("online") == "true", node.get("standby") == "true")
            for node in monitor.findall("./nodes/node")
        ),
        has_quorum=_has_quorum(monitor),
        has_fencing=option.get("stonith-enabled") == "true",
        stops_without_quorum=option.get("no-quorum-policy") == "stop",
        carriers=carriers,
        phases=_phases(monitor, carriers),
        ordered=_ordered(configuration),
        failures=tuple(map(_failure_text, monitor.findall("./failures/failure"))),
        faults=_faults(monitor),
    )


def _failure_text(failure: ET.Element) -> str:
    return f"{failure.get('op_key', '')} on {failure.get('node', '')}: {_why(failure)}"


def _why(failure: ET.Element) -> str:
    return failure.get("exitreason") or failure.get("exitstatus") or "no reason"


def _faults(monitor: ET.Element) -> dict[str, str]:
    found = {}
    for failure in monitor.findall("./failures/failure"):
        name = failure.get("op_key", "").rsplit("_", 2)[0]  # RESOURCE_ACTION_INTERVAL
        if is_of_stream(name):
            found[key_of(name)] = f"{failure.get('node', '')}: {_why(failure)}"
    return found


def _has_quorum(monitor: ET.Element) -> bool:
    dc = monitor.find("./summary/current_dc")
    return dc is not None and dc.get("with_quorum") == "true"


def _carriers(monitor: ET.Element) -> dict[str, str]:
    found = {}
    for resource in monitor.iter("resource"):
        node, name = resource.find("node"), resource.get("id", "")
        if is_of_stream(name) and resource.get("role") in ("Started", "Stopping") and node is not None:
            found[key_of(name)] = node.get("name", "")
    return found


def _phases(monitor: ET.Element, carriers: dict[str, str]) -> dict[str, Phase]:
    found = {}
    for node in monitor.findall("./node_attributes/node"):
        for attribute in node.findall("attribute"):
            key = attribute.get("name", "").removeprefix(PHASE_ATTRIBUTE)
            if carriers.get(key) == node.get("name") and attribute.get("value") in list(Phase):
                found[key] = Phase(attribute.get("value", ""))
    return found


def _ordered(configuration: ET.Element) -> dict[str, Ordered]:
    found = {}
    for primitive in configuration.iter("primitive"):
        name = primitive.get("id", "")
        if is_of_stream(name):
            role = _value(primitive, "./meta_attributes/nvpair", "target-role")
            parcel = _value(primitive, "./instance_attributes/nvpair", "job")
            found[key_of(name)] = Ordered(parcel, role.casefold() != "stopped")
    return found


def _value(primitive: ET.Element, path: str, name: str) -> str:
    return next((pair.get("value", "") for pair in primitive.findall(path) if pair.get("name") == name), "")
