"""Converts socket addresses between C structures and text."""

from __future__ import annotations

import ctypes
import ipaddress
import socket
import struct

_SOCKADDR_BYTES = 28  # sockaddr_in6, the larger of the two


def sockaddr(address: str, port: int) -> bytes:
    """Return a struct sockaddr_in or sockaddr_in6 for a numeric address, as on Linux; "" is every IPv4 address."""
    ip = ipaddress.ip_address(address or "0.0.0.0")  # noqa: S104 - a listener serves every interface
    if isinstance(ip, ipaddress.IPv4Address):
        return struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + ip.packed + bytes(8)
    scope = socket.if_nametoindex(ip.scope_id) if ip.scope_id else 0
    head = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", port, 0)
    return head + ip.packed + struct.pack("=I", scope)


def address_text(raw_sockaddr: bytes) -> str | None:
    """Return `192.0.2.7:41234` or `[2001:db8::7]:41234` for a struct sockaddr; None for any other family."""
    (family,) = struct.unpack_from("=H", raw_sockaddr)
    (port,) = struct.unpack_from("!H", raw_sockaddr, 2)
    if family == socket.AF_INET:
        return f"{ipaddress.IPv4Address(raw_sockaddr[4:8])}:{port}"
    if family == socket.AF_INET6:
        address = ipaddress.IPv6Address(raw_sockaddr[8:24])
        return f"{address.ipv4_mapped}:{port}" if address.ipv4_mapped else f"[{address}]:{port}"
    return None


def address_at(pointer: int) -> str:
    """Return the text of the struct sockaddr at a C pointer; empty for an unknown family."""
    (family,) = struct.unpack("=H", ctypes.string_at(pointer, 2))
    size = _SOCKADDR_BYTES if family == socket.AF_INET6 else 16
    return address_text(ctypes.string_at(pointer, size)) or ""


def host_of(address: str) -> str:
    """Return the host in `192.0.2.7:41234` or `[2001:db8::7]:41234`."""
    return address.rpartition(":")[0].strip("[]")


def printable(text: bytes | str | None) -> str:
    """Return a peer's text, unprintable characters replaced, at most 512 characters (as an SRT stream ID)."""
    shown = text.decode(errors="replace") if isinstance(text, bytes) else text or ""
    return "".join(character if character.isprintable() else "·" for character in shown)[:512]
