"""Reads the streams of a configuration file. One pass finds every fault, each with its line."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from app.configuration.export import VERSION
from app.configuration.lined_yaml import Fault, LinedValue, read_yaml
from app.configuration.passphrases import problem_with, with_passphrase
from app.domain.errors import InvalidInput
from app.domain.spec import JobSpec, parse_spec

STREAMS_MAX: Final = 500
_TOP_FIELDS: Final = ("version", "streams")


class Wanted(msgspec.Struct, frozen=True):
    """A stream of the file. `unresolved` is the reference of a passphrase that was not sent."""

    spec: JobSpec
    is_on_air: bool
    line: int
    unresolved: str | None = None
    passphrase_line: int = 0


class FaultyFile(Exception):
    """The file cannot be applied, and nothing was changed. `faults` lists every fault in the order of the file."""

    def __init__(self, faults: Collection[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = sorted(set(faults))


def read_configuration(text: str, *, secrets: Mapping[str, str], listener_ports: Collection[int]) -> list[Wanted]:
    """Read the streams of a file. Raises FaultyFile.

    `secrets` maps references, as `env:NAME`, to passphrases. `listener_ports` are the ports that a listener may use.
    """
    document, faults = read_yaml(text)
    entries = _entries(document, faults)
    wanted: list[Wanted] = []
    for at, entry in enumerate(entries):
        made = _wanted(entry, f"streams.{at}", document, faults, secrets, listener_ports)
        if made is not None:
            wanted.append(made)
    faults += _repeated(wanted)
    if faults:
        raise FaultyFile(faults)
    return wanted


def _entries(document: LinedValue, faults: list[Fault]) -> list[Any]:
    top = document.value
    if top is None and faults:
        return []
    if not isinstance(top, dict):
        faults.append(Fault(1, "", f"begin the file with `version: {VERSION}` and `streams:`"))
        return []
    unknown = [name for name in top if name not in _TOP_FIELDS]
    text = "there is no such field; remove it or check its spelling"
    faults.extend(Fault(document.line_of(name), name, text) for name in unknown)
    if top.get("version") != VERSION or isinstance(top.get("version"), bool):
        faults.append(
            Fault(document.line_of("version"), "version", f"write {VERSION}, the only version that this program reads")
        )
    entries = top.get("streams")
    # Nothing after `streams:` is what is left of a file that was cut off: it must not remove every stream.
    if not isinstance(entries, list):
        faults.append(Fault(document.line_of("streams"), "streams", "write a list of streams, `[]` for none"))
        return []
    if len(entries) > STREAMS_MAX:
        faults.append(Fault(document.line_of("streams"), "streams", f"at most {STREAMS_MAX} streams fit in one file"))
        return []
    return entries


def _wanted(
    entry: object,
    path: str,
    document: LinedValue,
    faults: list[Fault],
    secrets: Mapping[str, str],
    listener_ports: Collection[int],
) -> Wanted | None:
    line = document.line_of(path)
    if not isinstance(entry, dict):
        faults.append(Fault(line, path, "write the stream as fields, `name: …`"))
        return None
    is_on_air = entry.get("on_air", True)
    found: dict[str, str] = {}
    if not isinstance(is_on_air, bool):
        found["on_air"] = "write true or false"
    if problem := problem_with(entry):
        found["encryption.passphrase"] = problem
    settings = {name: value for name, value in entry.items() if name != "on_air"}
    spec_document, unresolved = with_passphrase(settings, secrets)
    try:
        spec = parse_spec(spec_document, listener_ports=listener_ports)
    except InvalidInput as error:
        found = {**error.fields, **found}
    if found:
        faults += [Fault(document.line_of(f"{path}.{name}"), f"{path}.{name}", text) for name, text in found.items()]
        return None
    return Wanted(spec, is_on_air, line, unresolved, document.line_of(f"{path}.encryption.passphrase"))


def _repeated(wanted: list[Wanted]) -> list[Fault]:
    """Find repeated names and ports: a name identifies a stream, and two streams cannot share a port."""
    faults = []
    for subject, value_of in (("name", _name), ("UDP port", _port)):
        first: dict[object, int] = {}
        for stream in wanted:
            value = value_of(stream.spec)
            if value in (None, ""):
                continue
            if value in first:
                text = f"the stream in line {first[value]} already has the {subject} {value}"
                faults.append(Fault(stream.line, "name" if subject == "name" else "port", text))
            first.setdefault(value, stream.line)
    return faults


def _name(spec: JobSpec) -> str:
    return spec.name


def _port(spec: JobSpec) -> int | None:
    return spec.local_port()
