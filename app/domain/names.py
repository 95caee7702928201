"""Rules for the texts that an operator types: names, hosts, groups, interfaces, paths in the media folder.

Each `problem_with_…` returns None if the text is valid, otherwise a sentence with the remedy.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import PurePosixPath

from app.domain.constants import STREAM_ID_BYTES

LABEL_CHARACTERS = 200
GROUP_CHARACTERS = 40
ENTRY_CHARACTERS = 80
NOTES_CHARACTERS = 300
PATH_BYTES = 1024
_QUOTES = frozenset("\"'`")
# RFC 1123 2.1: labels of letters, digits and inner hyphens, 63 at most; the whole name 253 at most.
_HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_RECORDING_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# Linux IFNAMSIZ is 16 with the closing zero; `/` and white space are what the kernel refuses.
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@-]{0,14}")


def problem_with_label(text: str) -> str | None:
    """Check a stream's name: one line of printable text, without straight quotes, which logs and shell lines use."""
    if len(text) > LABEL_CHARACTERS:
        return f"a name has at most {LABEL_CHARACTERS} characters, this one has {len(text)}"
    return _problem_with_characters(text)


def problem_with_entry_name(text: str) -> str | None:
    """Check the name of a preset or of a far end in the address book."""
    if not text.strip():
        return "enter a name"
    if len(text) > ENTRY_CHARACTERS:
        return f"a name has at most {ENTRY_CHARACTERS} characters, this one has {len(text)}"
    if text != text.strip():
        return "a name neither begins nor ends with a space; remove it"
    return _problem_with_characters(text)


def problem_with_notes(text: str) -> str | None:
    """Check the notes on a far end: one short paragraph."""
    if len(text) > NOTES_CHARACTERS:
        return f"notes have at most {NOTES_CHARACTERS} characters, these have {len(text)}"
    return _problem_with_control_characters(text)


def problem_with_stream_group(text: str) -> str | None:
    """Check the name of a group of streams; it is empty for a stream in no group."""
    if len(text) > GROUP_CHARACTERS:
        return f"a group's name has at most {GROUP_CHARACTERS} characters, this one has {len(text)}"
    if text != text.strip():
        return "a group's name neither begins nor ends with a space; remove it"
    return _problem_with_characters(text)


def problem_with_host(text: str) -> str | None:
    """Check a host to call: an IPv4 or IPv6 address, or an RFC 1123 name."""
    if not text:
        return "enter the IP address or name of the host to call"
    if len(text) > 253:
        return f"a host has at most 253 characters, this one has {len(text)}"
    if is_ip_address(text):
        return None
    if re.fullmatch(r"[0-9.]+", text):
        return "this is not an IPv4 address; enter four numbers from 0 to 255, as in 192.0.2.10"
    if all(_HOST_LABEL.fullmatch(label) for label in text.removesuffix(".").split(".")):
        return None
    return "a host is an IP address, or a name of letters, digits, hyphens and dots that does not begin with a hyphen"


def is_ip_address(text: str) -> bool:
    """Return whether the text is an IPv4 or IPv6 address without a zone."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def problem_with_group(text: str) -> str | None:
    """Check an IPv4 multicast group (224.0.0.0/4)."""
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return "enter an IPv4 multicast address, 224.0.0.0 to 239.255.255.255"
    return (
        None if address.is_multicast else f"{text} is not a multicast address; those are 224.0.0.0 to 239.255.255.255"
    )


def problem_with_target(text: str) -> str | None:
    """Check an IPv4 address that datagrams are sent to: a multicast group or a host."""
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return "enter the IPv4 address of a multicast group or a host"
    is_one_target = not address.is_unspecified and text != "255.255.255.255"
    return None if is_one_target else f"{text} is neither a multicast group nor a host"


def problem_with_recording_name(text: str) -> str | None:
    """Check the part of a recording's file name that the operator chooses."""
    if _RECORDING_NAME.fullmatch(text):
        return None
    return "use 1 to 64 letters, digits, hyphens, underscores and dots, the first a letter or a digit"


def problem_with_interface(text: str) -> str | None:
    """Check the spelling of a network interface's name; `auto` lets the routing table choose."""
    return None if _INTERFACE.fullmatch(text) else "enter `auto` or the name of a network interface"


def problem_with_source_ip(text: str | None) -> str | None:
    """Check the sender of a source-specific join: an IPv4 unicast address, or None for any sender."""
    if text is None:
        return None
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return "enter the sender's IPv4 address, or leave it out"
    return "a sender needs a unicast address" if address.is_multicast or address.is_unspecified else None


def problem_with_media_path(text: str) -> str | None:
    """Check the spelling of a path below the media folder; the media library resolves links."""
    if not text:
        return "choose a file"
    if len(text.encode(errors="surrogatepass")) > PATH_BYTES:
        return f"a path has at most {PATH_BYTES} bytes"
    if problem := _problem_with_control_characters(text):
        return problem
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or "\\" in text:
        return "enter a path inside the media folder, without `..` and not beginning with `/`"
    if path.suffix.lower() != ".ts":
        return "choose a transport stream file, its name ending in .ts"
    return None


def problem_with_stream_id(text: str | None) -> str | None:
    """Check an SRT stream ID: at most 512 bytes of printable text, or None for none."""
    if text is None:
        return None
    if (size := len(text.encode(errors="surrogatepass"))) > STREAM_ID_BYTES:
        return f"a stream ID has at most {STREAM_ID_BYTES} bytes, this one has {size}"
    return _problem_with_control_characters(text)


def _problem_with_control_characters(text: str) -> str | None:
    if any(not character.isprintable() for character in text):
        return "line breaks and other control characters are not allowed; remove them"
    return None


def _problem_with_characters(text: str) -> str | None:
    if problem := _problem_with_control_characters(text):
        return problem
    if _QUOTES & set(text):
        return "straight quotes are not allowed; leave them out or use typographic ones"
    return None
