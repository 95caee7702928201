"""Reads a JSON list of objects with line numbers. Parsing resumes after an error, so that one error hides few others.

People write these files. After a fault, reading continues at the next line that begins with `{`.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Generator, Iterator
from typing import Any, Final

import msgspec

# JSON has no comments, but people write them into lists that they edit.
_BLANK: Final = re.compile(r"(?:[ \t\r\n]+|(?://|#)[^\n]*|/\*[\s\S]*?\*/)*")
_OBJECT_ON_ITS_LINE: Final = re.compile(r"^[ \t]*\{", re.MULTILINE)
_COMMENT: Final = re.compile(r"/\*")


class Field(msgspec.Struct, frozen=True):
    """A field's decoded value and the line (from 1) of its name."""

    value: Any
    line: int


class Entry(msgspec.Struct, frozen=True):
    """An object of the list: its first line, and its fields by name. Of a repeated name, the first field counts."""

    line: int
    fields: dict[str, Field]


class Fault(msgspec.Struct, frozen=True):
    """A violation of JSON, or a value that is not an object, with its line."""

    line: int
    text: str


def read_objects(text: str) -> Iterator[Entry | Fault]:
    """Yield the objects of a JSON list and the faults in and between them, in the order of the file."""
    return _Walk(text).entries()


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


class _Broken(Exception):
    """The present object cannot be read further."""

    def __init__(self, at: int, text: str) -> None:
        super().__init__(text)
        self.at = at
        self.text = text


class _Walk:
    def __init__(self, text: str) -> None:
        self._text = text
        self._line_starts = [match.end() for match in re.finditer("\n", text)]
        self._decoder = json.JSONDecoder(parse_constant=_refuse_constant)

    def entries(self) -> Iterator[Entry | Fault]:
        at = self._skip(0)
        if at == len(self._text):
            return
        following: int | None
        if self._peek(at) == "[":
            following = self._skip(at + 1)
            if self._peek(following) == "]":
                yield from self._check_end(following)
                return
        else:
            yield self._fault(at, self._unexpected(at, "`[`, which begins the list"))
            following = self._next_object(at - 1)
        while following is not None:
            try:
                made, at = self._entry(following)
                yield made
                following = yield from self._after_entry(at)
            except _Broken as broken:
                yield self._fault(broken.at, broken.text)
                following = self._next_object(broken.at)

    def _after_entry(self, at: int) -> Generator[Fault, None, int | None]:
        """Find the next entry after a complete one; None at the end of the list."""
        if self._peek(at) == "{":
            yield self._fault(at, "a comma is missing before this object")
            return at
        if self._peek(at) != "]":
            at = self._expect(",", at, "a comma or `]` after an object")
            if self._peek(at) != "]":
                return at
            yield self._fault(at, "an extra comma before `]`")
        yield from self._check_end(at)
        return None

    def _entry(self, at: int) -> tuple[Entry | Fault, int]:
        if self._peek(at) != "{":
            value, end = self._value(at)
            return self._fault(at, f"an object in braces is expected here, not {json.dumps(value)[:40]}"), end
        line, fields = self._line(at), dict[str, Field]()
        repeated: Fault | None = None
        at = self._skip(at + 1)
        while self._peek(at) != "}":
            name_line = self._line(at)
            if self._peek(at) != '"':
                raise _Broken(at, self._unexpected(at, "a field's name in double quotes"))
            name, at = self._value(at)
            value, at = self._value(self._expect(":", at, f"a colon after {json.dumps(name)}"))
            if name in fields:
                repeated = repeated or Fault(name_line, f"{json.dumps(name)} occurs twice in one object")
            fields.setdefault(name, Field(value, name_line))
            if self._peek(at) != "}":
                at = self._expect(",", at, "a comma or `}` after a field")
                if self._peek(at) == "}":
                    raise _Broken(at, "an extra comma before `}`")
        return repeated or Entry(line, fields), self._skip(at + 1)

    def _value(self, at: int) -> tuple[Any, int]:
        try:
            value, end = self._decoder.raw_decode(self._text, at)
        except json.JSONDecodeError as error:
            if error.msg == "Expecting value":
                raise _Broken(error.pos, self._unexpected(error.pos, "a value")) from None
            raise _Broken(error.pos, f"{error.msg[0].lower()}{error.msg[1:]}") from None
        except (ValueError, RecursionError):  # NaN, a number with thousands of digits, brackets nested thousands deep
            raise _Broken(at, "this is not a JSON value, or it is far too long or too deep") from None
        return value, self._skip(end)

    def _expect(self, character: str, at: int, what: str) -> int:
        if self._peek(at) != character:
            raise _Broken(at, self._unexpected(at, what))
        return self._skip(at + 1)

    def _check_end(self, bracket: int) -> Iterator[Fault]:
        if (at := self._skip(bracket + 1)) < len(self._text):
            yield self._fault(at, "the list ended before this; nothing may follow its `]`")

    def _unexpected(self, at: int, wanted: str) -> str:
        if at >= len(self._text):
            return f"the file ends where {wanted} should follow; it seems to be cut off"
        if _COMMENT.match(self._text, at):
            return "this comment does not end; close it with */"
        return f"expected {wanted}, found {json.dumps(self._text[at : at + 20].splitlines()[0], ensure_ascii=False)}"

    def _next_object(self, at: int) -> int | None:
        """Return the start of the next line that begins with `{`; None at the end of the file."""
        match = _OBJECT_ON_ITS_LINE.search(self._text, max(0, at + 1))
        return match.end() - 1 if match else None

    def _fault(self, at: int, text: str) -> Fault:
        return Fault(self._line(at), text)

    def _line(self, at: int) -> int:
        return bisect_right(self._line_starts, at) + 1

    def _peek(self, at: int) -> str:
        return self._text[at : at + 1]

    def _skip(self, at: int) -> int:
        match = _BLANK.match(self._text, at)
        return match.end() if match else at
