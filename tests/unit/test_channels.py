"""The channel file: usable channels are listed, faults are reported with line and field, and no input raises."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.media.channels import FILE_BYTES_MAX, PROBLEMS_MAX, ChannelList, ChannelProblem, read_channels

ROOT = Path(__file__).parents[2]
ONE = '{"name": "One", "address": "239.1.1.1", "port": 1234}'
TWO = '{"name": "Two", "address": "239.1.1.2", "port": 1234}'


def channel(**fields: Any) -> bytes:
    """Return a file with one channel, its fields replaced; None leaves a field out."""
    whole = {"name": "One", "address": "239.1.1.1", "port": 1234} | fields
    return json.dumps([{name: value for name, value in whole.items() if value is not None}]).encode()


def names_in(text: str | bytes) -> list[str]:
    """Return the names of the channels that are listed."""
    return [channel.name for channel in read_channels(_bytes(text)).channels]


def problems_in(text: str | bytes) -> list[tuple[int | None, str, str]]:
    """Line, field and channel of each problem."""
    return [(problem.line, problem.field, problem.channel) for problem in read_channels(_bytes(text)).problems]


def words_in(text: str | bytes) -> str:
    """Return the texts of all problems."""
    return " | ".join(problem.text for problem in read_channels(_bytes(text)).problems)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def test_the_file_that_is_shipped_has_channels_and_no_problem() -> None:
    view = ChannelList(ROOT / "app" / "data" / "iptv_channels.json").read()
    assert len(view.channels) >= 3
    assert view.problems == ()
    assert {"udp", "rtp"} == {channel.protocol for channel in view.channels}


def test_protocol_is_udp_and_any_sender_is_taken_unless_the_file_says_otherwise() -> None:
    (plain,) = read_channels(channel()).channels
    assert (plain.protocol, plain.source_ip) == ("udp", None)
    (chosen,) = read_channels(channel(protocol="rtp", source_ip="192.0.2.1")).channels
    assert (chosen.protocol, chosen.source_ip) == ("rtp", "192.0.2.1")


def test_keys_of_other_programs_are_kept() -> None:
    (kept,) = read_channels(channel(logo="one.svg", tags=["hd", 1], epg={"id": 7})).channels
    assert kept.extra == {"logo": "one.svg", "tags": ["hd", 1], "epg": {"id": 7}}


def test_a_channel_knows_its_line() -> None:
    (first, second) = read_channels(f"[\n\n{ONE},\n  {TWO}\n]".encode()).channels
    assert (first.line, second.line) == (3, 4)


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"name": 7}, "name", "text"),
        ({"name": ""}, "name", "write a name for the channel"),
        ({"name": "  "}, "name", "write a name for the channel"),
        ({"name": "a\nb"}, "name", "control characters"),
        ({"name": "\ud800"}, "name", "control characters"),
        ({"name": "x" * 201}, "name", "at most 200"),
        ({"address": "192.0.2.1"}, "address", "not a multicast address"),
        ({"address": "ff02::1"}, "address", "IPv4 multicast"),
        ({"address": ["239.1.1.1"]}, "address", "text"),
        ({"port": "1234"}, "port", "without quotes"),
        ({"port": 0}, "port", "outside 1 to 65535"),
        ({"port": 65536}, "port", "outside 1 to 65535"),
        ({"port": True}, "port", "whole number"),
        ({"port": 1234.0}, "port", "whole number"),
        ({"protocol": "RTP"}, "protocol", "udp or rtp"),
        ({"protocol": 1}, "protocol", "udp or rtp"),
        ({"protocol": ["udp"]}, "protocol", "udp or rtp"),
        ({"source_ip": ""}, "source_ip", "leave it out"),
        ({"source_ip": "239.1.1.1"}, "source_ip", "unicast"),
        ({"source_ip": 5}, "source_ip", "text"),
        ({"logo": "\udc00"}, "logo", "cannot be stored"),
    ],
)
def test_a_wrong_field_is_named_and_its_channel_left_out(fields: dict[str, Any], field: str, words: str) -> None:
    text = channel(**fields)
    assert names_in(text) == []
    assert [found for _, found, _ in problems_in(text)] == [field]
    assert words in words_in(text)


@pytest.mark.parametrize("field", ["name", "address", "port"])
def test_a_missing_field_is_named(field: str) -> None:
    assert [(line, found) for line, found, _ in problems_in(channel(**{field: None}))] == [(1, field)]


def test_every_wrong_field_has_its_own_line() -> None:
    text = '[\n {"name": "One",\n  "address": "10.0.0.1",\n  "port": "x"},\n ' + TWO + "\n]"
    assert problems_in(text) == [(3, "address", "One"), (4, "port", "One")]
    assert names_in(text) == ["Two"]


def test_of_two_channels_with_one_name_the_first_is_listed() -> None:
    text = f"[\n{ONE},\n{ONE},\n{TWO}\n]"
    assert names_in(text) == ["One", "Two"]
    assert problems_in(text) == [(3, "name", "One")]
    assert "line 2" in words_in(text)


def test_a_key_that_is_there_twice_is_not_guessed_at() -> None:
    text = '[\n{"name": "One",\n "port": 1,\n "port": 2, "address": "239.1.1.1"}]'
    assert names_in(text) == []
    assert problems_in(text) == [(4, "", "")]


@pytest.mark.parametrize("comment", ["// the first", "# the first", "/* the first */"])
@pytest.mark.parametrize("place", ["{c}\n[\n{one},\n{two}\n]", "[\n{c}\n{one},\n{two}\n]", "[\n{one},\n{c}\n{two}\n]"])
def test_a_comment_hides_no_channel(comment: str, place: str) -> None:
    text = place.format(c=comment, one=ONE, two=TWO)
    assert names_in(text) == ["One", "Two"]
    assert problems_in(text) == []


def test_a_comment_in_a_channel_hides_nothing_of_it() -> None:
    text = f'[\n{{"name": "Zero", // source_ip is optional\n "address": "239.1.1.9", "port": 1}},\n{ONE}\n]'
    assert names_in(text) == ["Zero", "One"]
    assert problems_in(text) == []


def test_a_sign_of_a_comment_inside_a_text_belongs_to_the_text() -> None:
    assert names_in('[{"name": "a // b # c /* d", "address": "239.1.1.9", "port": 1}]') == ["a // b # c /* d"]


def test_a_comment_that_does_not_end_is_named() -> None:
    assert "comment does not end" in words_in("[\n/* the first\n]")


@pytest.mark.parametrize("text", ["", "\n\n", "// nothing yet\n"])
def test_an_empty_file_is_an_empty_list(text: str) -> None:
    assert (names_in(text), problems_in(text)) == ([], [])


@pytest.mark.parametrize("length", range(len(ONE) + 4, len(f"[\n{ONE},\n{TWO}\n]")))
def test_a_file_that_is_cut_off_lists_what_is_whole(length: int) -> None:
    text = f"[\n{ONE},\n{TWO}\n]"[:length]
    assert "One" in names_in(text)
    assert problems_in(text)
    assert {line for line, _, _ in problems_in(text)} <= {2, 3, 4}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("null", 1, "`[`"),
        ('"text"', 1, "`[`"),
        ("[", 1, "cut off"),
        ("[\n5\n]", 2, "object"),
        (f"[\n{ONE}\n{TWO}\n]", 3, "comma is missing"),
        (f"[\n{ONE},\n{TWO},\n]", 4, "extra comma"),
        (f"[\n{ONE},\n{TWO}\n]\n]", 5, "ended before"),
        ("[\n{'name': 'One'}\n]", 2, "double quotes"),
        ('[\n{"name" "One"}\n]', 2, "colon"),
        ('[\n{"name": One}\n]', 2, "value"),
        ('[\n{"port": NaN}\n]', 2, "not a JSON value"),
        ('[\n{"port": ' + "9" * 5000 + "}\n]", 2, "far too long"),
        ("[\n" + "[" * 100_000, 2, "too deep"),
        ("[\n" + '{"a":' * 100_000, 2, "too deep"),
    ],
)
def test_what_is_not_json_is_named_by_its_line(text: str, line: int, words: str) -> None:
    assert (line, "", "") in problems_in(text)
    assert words in words_in(text)


def test_a_file_in_another_encoding_is_told_by_the_line() -> None:
    text = f"[\n{ONE},\n".encode() + '{"name": "Två", "address": "239.1.1.2", "port": 1}\n]'.encode("latin-1")
    assert names_in(text)[0] == "One"
    assert problems_in(text) == [(3, "", "")]
    assert "UTF-8" in words_in(text)


def test_a_byte_order_mark_is_no_fault() -> None:
    assert names_in(b"\xef\xbb\xbf" + f"[{ONE}]".encode()) == ["One"]


def test_a_file_of_nothing_but_problems_is_told_in_a_page() -> None:
    problems = read_channels(("[" + "1,\n" * 50_000 + "2]").encode()).problems
    assert len(problems) == PROBLEMS_MAX + 1
    assert problems[-1].text == f"and {50_001 - PROBLEMS_MAX} more problems"


@given(st.binary(max_size=300) | st.text(alphabet='[]{}",:\\n\n 0eE.-+tfalsnu/#', max_size=200).map(str.encode))
def test_no_contents_raise(data: bytes) -> None:
    for problem in read_channels(data).problems:
        assert problem.text
        assert problem.line is None or 1 <= problem.line <= data.count(b"\n") + 1


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A channel file with one channel."""
    path = tmp_path / "iptv_channels.json"
    path.write_text(f"[{ONE}]")
    return path


def test_the_file_is_read_again_when_it_changed_and_only_then(file: Path) -> None:
    channels = ChannelList(file)
    before = channels.read()
    assert channels.read() is before
    file.write_text(f"[{ONE}, {TWO}]")
    assert [channel.name for channel in channels.read().channels] == ["One", "Two"]
    file.unlink()
    assert channels.read().channels == ()
    file.write_text(f"[{TWO}]")
    assert [channel.name for channel in channels.read().channels] == ["Two"]


def test_a_file_replaced_by_one_of_the_same_size_is_read_again(file: Path) -> None:
    channels = ChannelList(file)
    channels.read()
    other = file.with_name("other.json")
    other.write_text(f"[{TWO}]")
    os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    other.rename(file)
    assert [channel.name for channel in channels.read().channels] == ["Two"]


def test_ten_megabytes_are_refused_by_size(file: Path) -> None:
    file.write_bytes(b"[" + b" " * 10 * FILE_BYTES_MAX + b"]")
    assert ChannelList(file).read().problems == (
        ChannelProblem(None, "", "", "the file is larger than 1 MB, the most that is read"),
    )


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_something_else_in_the_files_place_is_told(file: Path, kind: str) -> None:
    file.unlink()
    if kind == "folder":
        file.mkdir()
    if kind == "pipe":
        os.mkfifo(file)
    view = ChannelList(file).read()
    assert view.channels == ()
    assert [problem.line for problem in view.problems] == [None]
    assert file.name in view.problems[0].text
