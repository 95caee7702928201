"""Reads YAML as plain values with the line of each, so that an error message can name the line to correct."""

from __future__ import annotations

import re
from typing import Any, Final, cast

import msgspec
import yaml

_VALUES_MAX: Final = 50_000
_DEPTH_MAX: Final = 12
_TAG: Final = "tag:yaml.org,2002:"
_MERGE: Final = _TAG + "merge"
_TOO_LONG: Final = (
    f"the file has more than {_VALUES_MAX} values or {_DEPTH_MAX} levels, which is too large for a list of streams"
)
_REMEDY: Final = "begin the fields of one stream in the same column, and indent with spaces, not with tabs"
_WHOLE_NUMBER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)")


class Fault(msgspec.Struct, frozen=True, order=True):
    """What is wrong in the file: its line (from 1), the dotted path of the field, and the remedy in words."""

    line: int
    path: str
    text: str


class LinedValue(msgspec.Struct, frozen=True):
    """A decoded document. `lines` maps the dotted path of each value, as `streams.2.endpoint.port`, to its line."""

    value: Any
    lines: dict[str, int]

    def line_of(self, path: str) -> int:
        """Return the line of a path, or of the closest enclosing part that has one."""
        while path and path not in self.lines:
            path = path.rpartition(".")[0]
        return self.lines.get(path, 1)


def read_yaml(text: str) -> tuple[LinedValue, list[Fault]]:
    """Decode one YAML document of plain values; never raises. After a syntax error the value is None.

    Aliases and tags are refused, because a small file could otherwise expand to gigabytes or create objects.
    """
    reader = _Reader()
    try:
        reader.refuse_aliases(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = None if node is None else reader.decode(node, "", 0)
    except _Broken as broken:
        return LinedValue(None, reader.lines), [broken.fault]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        text = f"this is not YAML: {error.problem or error.context}; {_REMEDY}"
        return LinedValue(None, reader.lines), [Fault(line, "", text)]
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError):
        return LinedValue(None, reader.lines), [Fault(1, "", "this is not YAML text; send a UTF-8 file")]
    return LinedValue(value, reader.lines), reader.faults


class _Broken(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.text)
        self.fault = fault


class _Reader:
    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self.faults: list[Fault] = []
        self._constructor = yaml.constructor.SafeConstructor()

    def refuse_aliases(self, text: str) -> None:
        depth = 0
        for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
            line = _line(event)
            if isinstance(event, yaml.AliasEvent):
                raise _Broken(Fault(line, "", "aliases (*name) are not read; write the value out"))
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > _DEPTH_MAX or count > _VALUES_MAX:
                raise _Broken(Fault(line, "", _TOO_LONG))

    def decode(self, node: yaml.Node, path: str, depth: int) -> Any:
        self.lines[path] = _line(node)
        if not isinstance(node, yaml.ScalarNode) and node.tag.removeprefix(_TAG) not in ("map", "seq"):
            self._fault(node, path, "tags (!name) are not read; write plain fields and lists")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.decode(item, _joined(path, str(at)), depth + 1) for at, item in enumerate(node.value)]
        if node.tag.removeprefix(_TAG) not in ("str", "int", "float", "bool", "null"):
            self._fault(node, path, f"{node.value!r} is not plain text, number or switch; put text in quotes")
            return None
        if node.tag == f"{_TAG}int" and not _WHOLE_NUMBER.fullmatch(node.value):
            # YAML 1.1 reads 010 as 8 and 2:30 as 150.
            self._fault(
                node, path, f"{node.value[:40]!r} is not a plain number; write digits only, without a leading 0"
            )
            return None
        try:
            return self._constructor.construct_object(cast(Any, node))
        except (yaml.YAMLError, ValueError, OverflowError):
            self._fault(node, path, f"{str(node.value)[:40]!r} is not a value that can be read; put text in quotes")
            return None

    def _mapping(self, node: yaml.MappingNode, path: str, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name_node, value_node in node.value:
            if not isinstance(name_node, yaml.ScalarNode) or name_node.tag == _MERGE:
                self._fault(name_node, path, "a field's name must be plain text")
                continue
            name = name_node.value
            within = _joined(path, name)
            if name in made:
                self._fault(name_node, within, "this field occurs twice; remove one")
                continue
            made[name] = self.decode(value_node, within, depth + 1)
            self.lines[within] = _line(name_node)
        return made

    def _fault(self, node: yaml.Node, path: str, text: str) -> None:
        self.faults.append(Fault(_line(node), path, text))


def _line(part: yaml.Event | yaml.Node) -> int:
    return 1 if part.start_mark is None else part.start_mark.line + 1


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
