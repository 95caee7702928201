"""The addresses that a relay may send to. Without this limit, a relay would be a reflector on the internet."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import Final

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PRIVATE: Final = "private"
# This host, RFC 1918, RFC 6598, link-local (RFC 3927), and their IPv6 counterparts (RFC 4193, RFC 4291).
_PRIVATE_NETWORKS: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)


def parse_relay_targets(text: str) -> tuple[Network, ...]:
    """Read networks separated by commas; `private` stands for this host and all private networks.

    Raises ValueError with the remedy.
    """
    networks: list[Network] = []
    for part in map(str.strip, text.split(",")):
        if part == PRIVATE:
            networks += _PRIVATE_NETWORKS
            continue
        try:
            networks.append(ipaddress.ip_network(part))
        except ValueError:
            raise ValueError(f"enter networks such as private, 203.0.113.0/24 or 203.0.113.7, not {part!r}") from None
    return tuple(networks)


def problem_with_target(address: str, allowed: Collection[Network]) -> str | None:
    """Say what is wrong with an IP address as a relay's target, or None."""
    target = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(target, ipaddress.IPv6Address) and target.ipv4_mapped is not None:
        target = target.ipv4_mapped
    if target.is_unspecified or target.is_multicast or str(target) == "255.255.255.255":
        return f"{target} is not the address of one host; choose the address of the SRT end"
    if any(target in network for network in allowed):
        return None
    return f"{target} is not among the networks that a relay may send to; add it to RELAY_TARGETS"


def checked_relay_targets(text: str) -> str:
    """Return the text of the networks unchanged if it can be read. Raises ValueError with the remedy."""
    parse_relay_targets(text)
    return text
