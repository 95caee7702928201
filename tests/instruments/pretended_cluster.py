"""Simulated pacemaker commands of a cluster of three hosts. Streams on the host `here` run through the real Carrier."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.fleet.carrying import Carrier
from app.fleet.parcel import unpack
from app.probes.run import Outcome, ProgramMissing
from app.store.cipher import Cipher
from app.supervisor.launchers.base import Launcher


class PretendedCluster:
    """A replacement of app.probes.run.run for crm_mon, cibadmin and crm_resource.

    `next_place` is the host on which new streams start.
    """

    def __init__(self, folder: Path, launcher: Launcher, cipher: Cipher) -> None:
        self.carrier = Carrier(folder, launcher)
        self._cipher = cipher
        self._resources = ET.Element("resources")
        self.places: dict[str, str] = {}
        self.next_place = "here"
        self.phases: dict[str, str] = {}
        self.faults: dict[str, str] = {}
        self.hosts = ["here", "there", "third"]
        self.is_down = False
        self.commands: list[tuple[str, ...]] = []

    def run(self, argv: Sequence[str], **limits: Any) -> Outcome:
        """Run one command as pacemaker does. Raises ProgramMissing while `is_down`."""
        assert limits["timeout_s"] <= 10
        if self.is_down:
            raise ProgramMissing(argv[0], f"{argv[0]} is not installed")
        self.commands.append(tuple(argv))
        match argv[0]:
            case "crm_mon":
                return self._answer(argv, self._monitor())
            case "cibadmin":
                return self._answer(argv, self._configure(argv))
            case "crm_resource":
                self._set_role(argv[argv.index("--resource") + 1], argv[-1])
                return self._answer(argv, "")
            case _:
                return self._answer(argv, "")

    def move(self, key: str, host: str) -> None:
        """Stop the stream where it is and start it on another host."""
        self._leave(key)
        self._place(key, host)

    def edit(self, key: str, parcel: str) -> None:
        """Stop the stream and replace its job by `parcel`, as a manual change of the configuration does."""
        self._leave(key)
        path = f"./primitive[@id='stream-{key}']/instance_attributes/nvpair[@name='job']"
        next(iter(self._resources.findall(path))).set("value", parcel)

    def _answer(self, argv: Sequence[str], text: str) -> Outcome:
        return Outcome(tuple(argv), 0, text.encode(), b"", 0.0)

    def _configure(self, argv: Sequence[str]) -> str:
        if "--query" in argv:
            return ET.tostring(self._resources, encoding="unicode")
        if "--modify" in argv:
            for primitive in ET.parse(argv[-1]).iter("primitive"):
                self._change(primitive)
        elif "--delete-all" in argv and "primitive" in argv[-1]:
            name = argv[-1].split("'")[1]
            self._leave(name.removeprefix("stream-"))
            for gone in [each for each in self._resources if each.get("id") == name]:
                self._resources.remove(gone)
        return ""

    def _change(self, primitive: ET.Element) -> None:
        key = str(primitive.get("id")).removeprefix("stream-")
        for old in [each for each in self._resources if each.get("id") == primitive.get("id")]:
            self._resources.remove(old)
        self._resources.append(primitive)
        self.move(key, self.places.get(key, self.next_place))

    def _set_role(self, name: str, role: str) -> None:
        key = name.removeprefix("stream-")
        for pair in self._resources.findall(f"./primitive[@id='{name}']/meta_attributes/nvpair[@name='target-role']"):
            pair.set("value", role)
        if role == "Stopped":
            self._leave(key)
        elif key not in self.places:
            self._place(key, self.next_place)

    def _place(self, key: str, host: str) -> None:
        self.places[key] = host
        if host == "here":
            path = f"./primitive[@id='stream-{key}']/instance_attributes/nvpair[@name='job']"
            parcel = str(next(iter(self._resources.findall(path))).get("value"))
            self.carrier.start(unpack(parcel, self._cipher), parcel)

    def _leave(self, key: str) -> None:
        if self.places.pop(key, "") == "here":
            self.carrier.stop(key)

    def _monitor(self) -> str:
        root = ET.Element("pacemaker-result")
        summary = ET.SubElement(root, "summary")
        ET.SubElement(summary, "current_dc", {"with_quorum": "true"})
        ET.SubElement(summary, "cluster_options", {"stonith-enabled": "false", "no-quorum-policy": "stop"})
        nodes = ET.SubElement(root, "nodes")
        for host in self.hosts:
            ET.SubElement(nodes, "node", {"name": host, "online": "true", "standby": "false"})
        resources = ET.SubElement(root, "resources")
        attributes = ET.SubElement(root, "node_attributes")
        for key, host in self.places.items():
            resource = ET.SubElement(resources, "resource", {"id": f"stream-{key}", "role": "Started"})
            ET.SubElement(resource, "node", {"name": host})
            node = ET.SubElement(attributes, "node", {"name": host})
            phase = self.phases.get(key, "delivering")
            ET.SubElement(node, "attribute", {"name": f"mcr-phase-{key}", "value": phase})
        failures = ET.SubElement(root, "failures")
        for key, why in self.faults.items():
            ET.SubElement(failures, "failure", {"op_key": f"stream-{key}_start_0", "node": "there", "exitreason": why})
        return ET.tostring(root, encoding="unicode")
