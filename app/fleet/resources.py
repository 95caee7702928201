"""The streams as resources of the cluster: their configuration, their placement, and pacemaker's commands. No shell."""

from __future__ import annotations

import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from app.fleet.ocf import AgentFault, Code
from app.probes.run import Outcome, ProbeFailed, run

_PREFIX: Final = "stream-"
PHASE_ATTRIBUTE: Final = "mcr-phase-"
_TIMEOUT_S: Final = 5.0
_OUTPUT_BYTES_MAX: Final = 16 * 1024 * 1024  # a stream takes 2.3 kB of the configuration
# A stream stays where it is when a host returns, because a move causes a gap.
_STICKINESS: Final = "1000"
_TIMEOUTS: Final = (("start", "0", "60s"), ("stop", "0", "30s"), ("monitor", "10s", "30s"))
_ADDRESS_TIMEOUTS: Final = (("monitor", "5s", "10s"),)


class ClusterRefused(Exception):
    """A command of pacemaker failed; the text is its error message."""


class Place(msgspec.Struct, frozen=True):
    """Where a stream may run. Empty fields restrict nothing.

    `host` pins it; `needs` is a node attribute that the host must have with the value 1, such as `vlan-20`;
    `apart_from` is the key of a stream that must be on another host; `address` moves with the stream, as 192.0.2.9/24.
    """

    host: str = ""
    needs: str = ""
    apart_from: str = ""
    address: str = ""


class Ordered(msgspec.Struct, frozen=True):
    """A stream for the cluster. `cpu_permille` is its share of a core."""

    key: str
    parcel: str
    settings: str = ""
    cpu_permille: int = 30


def resource_of(key: str) -> str:
    """Return the name of the resource that carries a stream."""
    return f"{_PREFIX}{key}"


def is_of_stream(resource: str) -> bool:
    """Whether a resource is a stream of this product."""
    return resource.startswith(_PREFIX) and len(resource) > len(_PREFIX)


def key_of(resource: str) -> str:
    """Return the stream of a resource. Raises AgentFault for other resources."""
    if not is_of_stream(resource):
        raise AgentFault(Code.ERR_CONFIGURED, f"the resource must be named {_PREFIX}KEY, not {resource!r}")
    return resource.removeprefix(_PREFIX)


def configuration_of(streams: Iterable[Ordered]) -> str:
    """Return the part of the cluster's configuration with the streams, as XML."""
    configuration, resources, _ = _empty_configuration()
    for stream in streams:
        _add_stream(resources, stream)
    return ET.tostring(configuration, encoding="unicode")


def placement_of(key: str, place: Place) -> str:
    """Return the part of the cluster's configuration with the placement of a stream, as XML."""
    configuration, resources, constraints = _empty_configuration()
    if place.address:
        _add_address(resources, constraints, key, place.address)
    _add_constraints(constraints, key, place)
    return ET.tostring(configuration, encoding="unicode")


def _empty_configuration() -> tuple[ET.Element, ET.Element, ET.Element]:
    configuration = ET.Element("configuration")
    return configuration, ET.SubElement(configuration, "resources"), ET.SubElement(configuration, "constraints")


def _add_stream(parent: ET.Element, stream: Ordered) -> None:
    name = resource_of(stream.key)
    primitive = ET.SubElement(parent, "primitive", {"id": name, "class": "ocf", "provider": "mcr", "type": "stream"})
    _add_pairs(primitive, "instance_attributes", {"job": stream.parcel, "settings": stream.settings})
    _add_pairs(
        primitive,
        "meta_attributes",
        {"target-role": "Started", "resource-stickiness": _STICKINESS, "failure-timeout": "60s"},
    )
    # Only capacities that every host has, see setup.py: another name would exclude all hosts.
    _add_pairs(primitive, "utilization", {"cpu": str(stream.cpu_permille)})
    _add_operations(primitive, _TIMEOUTS)


def _add_address(resources: ET.Element, constraints: ET.Element, key: str, address: str) -> None:
    """Add an address that is on the stream's host, and is there before the stream starts."""
    name, stream = f"address-{key}", resource_of(key)
    primitive = ET.SubElement(
        resources, "primitive", {"id": name, "class": "ocf", "provider": "heartbeat", "type": "IPaddr2"}
    )
    ip, _, prefix = address.partition("/")
    _add_pairs(primitive, "instance_attributes", {"ip": ip, "cidr_netmask": prefix})
    _add_pairs(primitive, "meta_attributes", {"resource-stickiness": _STICKINESS})
    _add_operations(primitive, _ADDRESS_TIMEOUTS)
    with_address = {"id": f"with-address-{key}", "rsc": stream, "with-rsc": name, "score": "INFINITY"}
    ET.SubElement(constraints, "rsc_colocation", with_address)
    ET.SubElement(constraints, "rsc_order", {"id": f"after-address-{key}", "first": name, "then": stream})


def _add_pairs(parent: ET.Element, kind: str, pairs: dict[str, str]) -> None:
    group = f"{parent.get('id')}-{kind}"
    made = ET.SubElement(parent, kind, id=group)
    for name, value in pairs.items():
        if value:
            ET.SubElement(made, "nvpair", id=f"{group}-{name}", name=name, value=value)


def _add_operations(primitive: ET.Element, timeouts: Sequence[tuple[str, str, str]]) -> None:
    operations = ET.SubElement(primitive, "operations")
    for name, interval, timeout in timeouts:
        identity = f"{primitive.get('id')}-{name}"
        ET.SubElement(operations, "op", id=identity, name=name, interval=interval, timeout=timeout)


def _add_constraints(constraints: ET.Element, key: str, place: Place) -> None:
    name = resource_of(key)
    if place.host:
        _add_ban(constraints, f"pin-{key}", name, "#uname", place.host)
    if place.needs:
        _add_ban(constraints, f"needs-{key}", name, place.needs, "1")
    if place.apart_from:
        other = resource_of(place.apart_from)
        apart = {"id": f"apart-{key}", "rsc": name, "with-rsc": other, "score": "-INFINITY"}
        ET.SubElement(constraints, "rsc_colocation", apart)


def _add_ban(constraints: ET.Element, identity: str, resource: str, attribute: str, value: str) -> None:
    """Exclude the hosts whose attribute has another value, or none."""
    location = ET.SubElement(constraints, "rsc_location", id=identity, rsc=resource)
    rule = ET.SubElement(location, "rule", {"id": f"{identity}-rule", "score": "-INFINITY", "boolean-op": "or"})
    differs = {"id": f"{identity}-differs", "attribute": attribute, "operation": "ne", "value": value}
    unset = {"id": f"{identity}-unset", "attribute": attribute, "operation": "not_defined"}
    ET.SubElement(rule, "expression", differs)
    ET.SubElement(rule, "expression", unset)


def put(streams: Sequence[Ordered]) -> None:
    """Create or change streams in the cluster. Unchanged ones stay on air. Raises ClusterRefused."""
    _modify(configuration_of(streams))


def set_job(key: str, parcel: str) -> None:
    """Change the job of a stream; a different job restarts it. Raises ClusterRefused."""
    ask("crm_resource", "--resource", resource_of(key), "--set-parameter", "job", "--parameter-value", parcel)


def place(key: str, where: Place) -> None:
    """Set where a stream may run, in place of the earlier placement. Raises ClusterRefused."""
    _remove_placement(key)
    _modify(placement_of(key, where))


def _modify(configuration: str) -> None:
    with tempfile.NamedTemporaryFile("w", prefix="mcr-", suffix=".xml") as file:
        file.write(configuration)
        file.flush()
        ask("cibadmin", "--modify", "--allow-create", "--scope", "configuration", "--xml-file", file.name)


def _remove_placement(key: str) -> None:
    for kind in ("pin", "needs", "apart", "with-address", "after-address"):
        ask("cibadmin", "--delete-all", "--force", "--xpath", f"//constraints/*[@id='{kind}-{key}']")
    ask("cibadmin", "--delete-all", "--force", "--xpath", f"//resources/primitive[@id='address-{key}']")


def set_wanted(key: str, *, is_wanted: bool) -> None:
    """Order the cluster to start or stop a stream. Raises ClusterRefused."""
    role = "Started" if is_wanted else "Stopped"
    ask(
        *("crm_resource", "--resource", resource_of(key), "--meta"),
        *("--set-parameter", "target-role", "--parameter-value", role),
    )


def remove(key: str) -> None:
    """Remove a stream from the cluster, with its address and its rules. Raises ClusterRefused."""
    _remove_placement(key)
    name = resource_of(key)
    ask("cibadmin", "--delete-all", "--force", "--xpath", f"//constraints/*[@with-rsc='{name}']")
    ask("cibadmin", "--delete-all", "--force", "--xpath", f"//resources/primitive[@id='{name}']")


def stand_by(host: str, *, is_on: bool) -> None:
    """Move all streams off a host, or allow it to carry streams again. Raises ClusterRefused."""
    ask("crm_standby", "--node", host, "--update", "on" if is_on else "off")


def ask(*argv: str, timeout_s: float = _TIMEOUT_S) -> Outcome:
    """Run a command and return its output. Raises ClusterRefused with its error message."""
    try:
        done = run(argv, timeout_s=timeout_s, output_bytes_max=_OUTPUT_BYTES_MAX)
    except ProbeFailed as failure:
        raise ClusterRefused(failure.message) from None
    if done.returncode != 0:
        raise ClusterRefused(f"{argv[0]}: {done.complaint() or f'exit status {done.returncode}'}")
    return done


def missing_hosts() -> list[str]:
    """Return the hosts of the cluster that are absent at present, as far as is known."""
    try:
        nodes = read_monitor().findall("./nodes/node")
    except ClusterRefused:
        return ["a host that the cluster could not report on"]
    return [node.get("name", "") for node in nodes if node.get("online") != "true"]


def read_monitor() -> ET.Element:
    """Return pacemaker's report on the cluster. Raises ClusterRefused."""
    return _read("crm_mon", "--one-shot", "--output-as=xml", "--inactive", "--show-node-attributes")


def read_resources() -> ET.Element:
    """Return the resources in the cluster's configuration. Raises ClusterRefused."""
    return _read("cibadmin", "--query", "--scope", "resources")


def _read(*argv: str) -> ET.Element:
    try:
        return ET.fromstring(ask(*argv).stdout)  # noqa: S314 - the words of this host's pacemaker
    except ET.ParseError as error:
        raise ClusterRefused(f"{argv[0]} wrote something that is not XML: {error}") from None


def report_phase(key: str, phase: str | None) -> None:
    """Report a stream's phase on this host to the cluster, None when it is gone. An error is ignored."""
    what = ["--delete"] if phase is None else ["--update", phase]
    try:
        run(["attrd_updater", "--name", f"{PHASE_ATTRIBUTE}{key}", *what], timeout_s=_TIMEOUT_S)
    except ProbeFailed:
        return
