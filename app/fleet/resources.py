"""The cluster's resources: how they are named, and the commands of pacemaker that read and report. No shell."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Final

from app.fleet.ocf import AgentFault, Code
from app.probes.run import ProbeFailed, run

_PREFIX: Final = "stream-"
_PHASE: Final = "mcr-phase-"
_TIMEOUT_S: Final = 5.0


def key_of(resource: str) -> str:
    """The stream of a resource. Raises AgentFault for one that is none of ours."""
    if not resource.startswith(_PREFIX) or len(resource) == len(_PREFIX):
        raise AgentFault(Code.ERR_CONFIGURED, f"the resource must be named {_PREFIX}KEY, not {resource!r}")
    return resource.removeprefix(_PREFIX)


def missing_hosts() -> list[str]:
    """The hosts of the cluster that are not in it at present, as far as is known."""
    try:
        done = run(["crm_mon", "--one-shot", "--output-as=xml"], timeout_s=_TIMEOUT_S)
        nodes = ET.fromstring(done.stdout).findall("./nodes/node")  # noqa: S314 - the words of this host's pacemaker
    except (ProbeFailed, ET.ParseError):
        return ["a host that the cluster could not be asked for"]
    return [node.get("name", "") for node in nodes if node.get("online") != "true"]


def report_phase(key: str, phase: str | None) -> None:
    """Report to the cluster what a stream does on this host, None when it is no longer here, as far as it listens."""
    what = ["--delete"] if phase is None else ["--update", phase]
    try:
        run(["attrd_updater", "--name", f"{_PHASE}{key}", *what], timeout_s=_TIMEOUT_S)
    except ProbeFailed:
        return
