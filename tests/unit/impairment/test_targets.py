"""A relay sends only where it may."""

from __future__ import annotations

import pytest

from app.domain.impairment.targets import parse_relay_targets, problem_with_target

PRIVATE = parse_relay_targets("private")


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "::1", "fd00::1", "fe80::1%lo"]
)
def test_this_host_and_private_networks_are_allowed_by_default(address: str) -> None:
    assert problem_with_target(address, PRIVATE) is None


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "2001:db8::1", "::ffff:8.8.8.8"])
def test_the_internet_is_refused_with_the_remedy(address: str) -> None:
    assert "add it to RELAY_TARGETS" in (problem_with_target(address, PRIVATE) or "")


@pytest.mark.parametrize("address", ["0.0.0.0", "239.1.1.1", "255.255.255.255", "ff02::1"])
def test_what_is_no_single_host_is_refused_whatever_is_allowed(address: str) -> None:
    assert "not the address of one host" in (problem_with_target(address, parse_relay_targets("0.0.0.0/0, ::/0")) or "")


def test_networks_are_added_by_the_setting() -> None:
    allowed = parse_relay_targets("private, 203.0.113.0/24")

    assert problem_with_target("203.0.113.9", allowed) is None
    assert problem_with_target("127.0.0.1", allowed) is None


def test_a_network_that_is_none_is_refused_with_an_example() -> None:
    with pytest.raises(ValueError, match="enter networks such as private"):
        parse_relay_targets("private, everywhere")
