"""The product's own use of libsrt: calls, refusals, source times, waiting, options; without GStreamer."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from app.srt.addresses import address_text, host_of, printable, sockaddr
from app.srt.options import Kind, Option, encoded, uri_parameters
from tests.instruments import libsrt_abi
from tests.instruments.srt_pair import seen


@pytest.fixture(scope="module")
def pair() -> dict[str, Any]:
    """The observations of a listener and its callers."""
    return seen()


def test_it_finds_libsrt_without_gstreamer(pair: dict[str, Any]) -> None:
    assert pair["loaded"] == []


def test_a_caller_is_known_by_address_and_stream_id_before_it_is_let_in(pair: dict[str, Any]) -> None:
    assert pair["accepted"] == [["good", "127.0.0.1"]]
    assert pair["latency"][1] == 5


def test_each_refused_caller_hears_why(pair: dict[str, Any]) -> None:
    assert pair["codes"]["full"] == 1402
    assert pair["reasons"]["wrong"] == "wrong_passphrase"
    assert pair["reasons"]["full"] == pair["reasons"]["boom"] == "connection_rejected"


def test_an_exception_in_a_decision_refuses_the_caller_and_is_printed(pair: dict[str, Any]) -> None:
    assert "ValueError: boom" in pair["stderr"]


def test_messages_arrive_at_the_distances_of_their_source_times(pair: dict[str, Any]) -> None:
    assert pair["sent"] == [True] * 5
    assert pair["payloads"] == pair["sequences"] == [0, 1, 2, 3, 4]
    assert pair["dues_us"] == [0, 1000, 2000, 3000, 4000]


def test_waiting_ends_for_an_eventfd_and_for_data(pair: dict[str, Any]) -> None:
    assert pair["woken"]
    assert pair["readable"]


def test_an_option_that_this_libsrt_refuses_is_an_error_with_name_value_and_reason(pair: dict[str, Any]) -> None:
    assert "cryptomode=2" in pair["refused"]["CRYPTOMODE"]
    assert "passphrase=•" in pair["refused"]["PASSPHRASE"]
    assert "short" not in pair["refused"]["PASSPHRASE"]


def test_both_ends_count_the_same_and_agree_on_the_higher_latency(pair: dict[str, Any]) -> None:
    assert pair["counts"] == [5, 5, 300]
    assert pair["latency"][0] == 300


def test_sockets_know_their_own_end_and_the_other(pair: dict[str, Any]) -> None:
    assert pair["own"] == ["127.0.0.1", True]


def test_the_log_is_heard_and_a_goodbye_is_noticed(pair: dict[str, Any]) -> None:
    assert pair["heard"]
    assert pair["nothing_more"]


def test_numbers_of_options_are_those_of_the_other_table() -> None:
    mine = {option.name: option.number for option in Option}
    theirs = {option.name: int(option) for option in libsrt_abi.Option}
    assert {name: mine[name] for name in mine.keys() & theirs.keys()} == {
        name: theirs[name] for name in mine.keys() & theirs.keys()
    }
    assert len({option.number for option in Option}) == len(list(Option))


@pytest.mark.parametrize("option", list(Option))
def test_every_option_has_bytes_of_its_type(option: Option) -> None:
    if option.kind is Kind.TEXT:
        assert encoded(option, "å") == b"\xc3\xa5"
    else:
        assert len(encoded(option, 1)) == {Kind.INT: 4, Kind.WIDE: 8, Kind.FLAG: 1}[option.kind]


def test_uri_parameters_have_lower_case_names_and_flags() -> None:
    assert uri_parameters({Option.TLPKTDROP: True, Option.OHEADBW: 25}) == {"tlpktdrop": "true", "oheadbw": "25"}


@pytest.mark.parametrize(
    ("address", "port", "text"),
    [("192.0.2.7", 9000, "192.0.2.7:9000"), ("", 1, "0.0.0.0:1"), ("2001:db8::7", 9000, "[2001:db8::7]:9000")],
)
def test_addresses_go_to_c_and_back(address: str, port: int, text: str) -> None:
    assert address_text(sockaddr(address, port)) == text
    assert host_of(text) == text.rpartition(":")[0].strip("[]")


def test_an_ipv4_caller_of_an_ipv6_listener_is_shown_as_ipv4() -> None:
    mapped = sockaddr("::ffff:192.0.2.7", 5)
    assert address_text(mapped) == "192.0.2.7:5"
    assert address_text(struct.pack("=H", 1) + bytes(26)) is None


def test_a_peers_text_is_made_printable_and_cut() -> None:
    assert printable(b"a\x1b[0m\xff") == "a·[0m\N{REPLACEMENT CHARACTER}"
    assert printable(None) == ""
    assert len(printable("x" * 600)) == 512
