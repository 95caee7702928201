"""The multicast channels of this installation, from a JSON file that people edit while the program runs.

Nothing here raises to its callers: valid channels are listed, and faults are reported with line and field.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal, cast

import msgspec

from app.domain import names
from app.domain.located_json import Entry, Fault, Field, read_objects

FILE_BYTES_MAX: Final = 1024 * 1024
PROBLEMS_MAX: Final = 100
_PROTOCOLS: Final = ("udp", "rtp")
_FIELDS: Final = ("name", "address", "port", "protocol", "source_ip")


class Channel(msgspec.Struct, frozen=True):
    """A channel that satisfies all rules of a multicast source. `line` is its line in the file.

    `extra` keeps other keys of the file unchanged.
    """

    name: str
    address: str
    port: int
    protocol: Literal["udp", "rtp"]
    source_ip: str | None
    line: int
    extra: dict[str, Any]


class ChannelProblem(msgspec.Struct, frozen=True):
    """Why a channel, or a part of the file, is not listed.

    `line` counts from 1 and is None for the file as a whole; `field` is empty where no field is at fault; `channel` is
    the name of the channel that is left out, empty when it has none.
    """

    line: int | None
    field: str
    channel: str
    text: str


class ChannelsView(msgspec.Struct, frozen=True):
    """The channels and faults of the file, in its order."""

    channels: tuple[Channel, ...] = ()
    problems: tuple[ChannelProblem, ...] = ()


_Stamp = tuple[int, int, int, int]


class ChannelList:
    """The channels of one file, read again when the file has changed. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: tuple[_Stamp, ChannelsView] | None = None

    def read(self) -> ChannelsView:
        """Return the valid channels and the problems of the others. Never raises."""
        try:
            # O_NONBLOCK: a pipe put in the file's place must not delay the page.
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            return _whole_file(f"{self._path.name} cannot be opened: {error.strerror}")
        try:
            status = os.fstat(descriptor)
            stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            last = self._last
            if last is not None and last[0] == stamp:
                return last[1]
            if not stat.S_ISREG(status.st_mode):
                return _whole_file(f"{self._path.name} is not a regular file")
            data = _read_bounded(descriptor)
        except OSError as error:
            return _whole_file(f"{self._path.name} cannot be read: {error.strerror}")
        finally:
            os.close(descriptor)
        view = read_channels(data)
        self._last = stamp, view
        return view


def _read_bounded(descriptor: int) -> bytes:
    """Read a whole file, or one byte more than the maximum."""
    parts: list[bytes] = []
    left = FILE_BYTES_MAX + 1
    while left and (part := os.read(descriptor, left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def read_channels(data: bytes) -> ChannelsView:
    """Read a channel file's contents."""
    if len(data) > FILE_BYTES_MAX:
        return _whole_file(f"the file is larger than {FILE_BYTES_MAX // 1024**2} MB, the most that is read")
    problems = _Problems()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.add(ChannelProblem(line, "", "", "this line is not UTF-8 text; save the file as UTF-8"))
        text = data.decode("utf-8-sig", errors="replace")
    channels: dict[str, Channel] = {}
    for part in read_objects(text):
        if isinstance(part, Fault):
            problems.add(ChannelProblem(part.line, "", "", part.text))
            continue
        found = list(_problems_with(part, channels))
        problems.add(*found)
        if not found:
            channel = _channel(part)
            channels[channel.name] = channel
    return ChannelsView(tuple(channels.values()), problems.shown())


def _problems_with(entry: Entry, earlier: dict[str, Channel]) -> Iterable[ChannelProblem]:
    name = entry.fields.get("name")
    label = name.value if name is not None and isinstance(name.value, str) else ""
    for field in _FIELDS:
        there = entry.fields.get(field)
        text = _problem_with_field(field, there)
        if text is None and field == "name" and (same := earlier.get(label)) is not None:
            text = f"the channel of line {same.line} has this name already"
        if text is not None:
            yield ChannelProblem(entry.line if there is None else there.line, field, label, text)
    for field, there in entry.fields.items():
        if field not in _FIELDS and not _can_be_sent(field, there.value):
            yield ChannelProblem(there.line, field, label, "this value has characters that cannot be stored")


def _problem_with_field(name: str, field: Field | None) -> str | None:
    if field is None:
        return "this field is missing" if name in ("name", "address", "port") else None
    value = field.value
    match name:
        case "port":
            return _problem_with_port(value)
        case "protocol":
            return None if value in _PROTOCOLS else "the protocol is udp or rtp"
        case "source_ip" if value is None:
            return None
    if not isinstance(value, str):
        return "this must be text in double quotes"
    match name:
        case "name":
            return names.problem_with_label(value) if value.strip() else "write a name for the channel"
        case "address":
            return names.problem_with_group(value)
        case _:
            return names.problem_with_source_ip(value)


def _problem_with_port(value: object) -> str | None:
    if type(value) is not int:  # True is an int to isinstance
        return "a port is a whole number without quotes"
    return None if 1 <= value <= 65535 else f"{str(value)[:20]} is outside 1 to 65535"


def _can_be_sent(*values: object) -> bool:
    """Whether the values can be written as JSON again, which lone surrogates cannot."""
    try:
        msgspec.json.encode(values)
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def _channel(entry: Entry) -> Channel:
    values = {name: field.value for name, field in entry.fields.items()}
    return Channel(
        name=values["name"],
        address=values["address"],
        port=values["port"],
        protocol=cast(Literal["udp", "rtp"], values.get("protocol", "udp")),
        source_ip=values.get("source_ip"),
        line=entry.line,
        extra={name: value for name, value in values.items() if name not in _FIELDS},
    )


class _Problems:
    """The first PROBLEMS_MAX problems, and the number of further ones, because there may be very many."""

    def __init__(self) -> None:
        self._kept: list[ChannelProblem] = []
        self._more = 0

    def add(self, *problems: ChannelProblem) -> None:
        room = PROBLEMS_MAX - len(self._kept)
        self._kept += problems[:room]
        self._more += len(problems[room:])

    def shown(self) -> tuple[ChannelProblem, ...]:
        more = [ChannelProblem(None, "", "", f"and {self._more} more problems")] if self._more else []
        return (*self._kept, *more)


def _whole_file(text: str) -> ChannelsView:
    return ChannelsView(problems=(ChannelProblem(None, "", "", text),))
