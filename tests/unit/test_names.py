"""What an operator may type as a label, host, group, interface or path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import names

HOSTS_TO_CALL = [
    "192.0.2.10",
    "127.0.0.1",
    "2001:db8::1",
    "localhost",
    "receiver-3.example.net",
    "receiver.example.net.",
    "a" * 63 + ".example",
    "3com.example",
]
HOSTS_REFUSED = [
    "",
    "-h",
    "--help",
    "receiver-",
    "under_score.example",
    "a..b",
    ".example",
    "two words",
    "host?mode=listener",
    "host&latency=0",
    "host#x",
    "host/path",
    "host:9000",
    "user@host",
    "host\n",
    "ho\x00st",
    "[2001:db8::1]",
    "fe80::1%eth0",
    "1.2.3",
    "256.1.1.1",
    "1.2.3.4.5",
    "a" * 64,
    "a." * 127,
    "\ud800",
    "\uff11\uff10.0.0.1",
    "$(id)",
]


@pytest.mark.parametrize("host", HOSTS_TO_CALL)
def test_an_address_or_a_name_can_be_called(host: str) -> None:
    assert names.problem_with_host(host) is None


@pytest.mark.parametrize("host", HOSTS_REFUSED)
def test_what_is_neither_an_address_nor_a_name_is_refused(host: str) -> None:
    assert names.problem_with_host(host)


@given(st.text())
def test_an_accepted_host_has_no_character_that_means_something_to_a_uri_or_a_shell(host: str) -> None:
    if names.problem_with_host(host) is None:
        assert not host.startswith("-")
        assert not set(host) & set(" ?&#/@%;|$`'\"\\\n\r\t\0")


@pytest.mark.parametrize("path", ["bars.ts", "a/b/c.TS", "Übertragung 3.ts", "<script>alert(1)<script>.ts", "a..b.ts"])
def test_a_transport_stream_below_the_media_folder_can_be_named(path: str) -> None:
    assert names.problem_with_media_path(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd.ts",
        "../bars.ts",
        "a/../../bars.ts",
        "..",
        "a\\..\\bars.ts",
        "bars.mp4",
        "bars",
        "ba\nrs.ts",
        "bars.ts\x00",
        "\ud800.ts",
        "é" * 512 + ".ts",
    ],
)
def test_a_path_that_leaves_the_folder_or_cannot_be_typed_is_refused(path: str) -> None:
    assert names.problem_with_media_path(path)


@pytest.mark.parametrize("path", ['ba"rs.ts', "Kalle's.ts", "ba`rs.ts", "å ä/ö & #.ts", "$(id).ts"])
def test_a_path_may_hold_quotes_and_other_signs_of_the_keyboard(path: str) -> None:
    assert names.problem_with_media_path(path) is None


@given(st.text())
def test_no_text_makes_the_checks_raise(text: str) -> None:
    for check in (
        names.problem_with_label,
        names.problem_with_host,
        names.problem_with_group,
        names.problem_with_interface,
        names.problem_with_source_ip,
        names.problem_with_media_path,
        names.problem_with_stream_id,
    ):
        assert check(text) is None or check(text)


@pytest.mark.parametrize("group", ["224.0.0.0", "239.1.1.1", "239.255.255.255", "232.0.0.1"])
def test_a_multicast_address_can_be_joined(group: str) -> None:
    assert names.problem_with_group(group) is None


@pytest.mark.parametrize("group", ["", "223.255.255.255", "240.0.0.0", "10.0.0.1", "ff02::1", "239.1.1", "239.1.1.1:5"])
def test_other_addresses_cannot_be_joined(group: str) -> None:
    assert names.problem_with_group(group)


@pytest.mark.parametrize("interface", ["auto", "eth0", "enp3s0f1", "bond0.100", "br-lan", "eth0:1"])
def test_an_interface_is_named_as_the_kernel_does(interface: str) -> None:
    assert names.problem_with_interface(interface) is None


@pytest.mark.parametrize("interface", ["", "-eth0", "eth 0", "eth/0", "a" * 16, "eth0\n", "."])
def test_what_the_kernel_would_not_name_so_is_refused(interface: str) -> None:
    assert names.problem_with_interface(interface)


@pytest.mark.parametrize(
    ("source_ip", "is_fine"),
    [(None, True), ("10.0.0.1", True), ("", False), ("239.1.1.1", False), ("0.0.0.0", False), ("2001:db8::1", False)],
)
def test_a_source_specific_join_names_one_sender(source_ip: str | None, is_fine: bool) -> None:
    assert (names.problem_with_source_ip(source_ip) is None) is is_fine


def test_a_label_is_one_line_of_at_most_200_characters_without_straight_quotes() -> None:
    assert names.problem_with_label("Øresund bridge → Malmö, “A” feed") is None
    assert names.problem_with_label("é" * 200) is None
    assert names.problem_with_label("é" * 201)
    assert names.problem_with_label("two\nlines")
    assert names.problem_with_label("\u202eright to left")
    assert names.problem_with_label('say "A"')
