"""Resolves a name within a time limit, in a child process: the C library's resolver can hang and cannot be stopped."""

from __future__ import annotations

from typing import Final

from app.domain.names import is_ip_address, problem_with_host
from app.probes.run import CancelSwitch, ProbeFailed, TimedOut, run

RESOLVE_TIMEOUT_S: Final = 5.0


class NameUnknown(ProbeFailed):
    """The name has no address, or the name servers do not answer."""


def resolve(host: str, *, cancel: CancelSwitch | None = None, timeout_s: float = RESOLVE_TIMEOUT_S) -> str:
    """Return the address that the system would use first for a host. An address is returned unchanged.

    Asks `getent`, so that /etc/hosts and the machine's resolver apply. Raises NameUnknown, and ValueError for a text
    that is not a host.
    """
    if problem := problem_with_host(host):
        raise ValueError(problem)
    if is_ip_address(host):
        return host
    try:
        outcome = run(["getent", "ahosts", "--", host], timeout_s=timeout_s, output_bytes_max=65536, cancel=cancel)
    except TimedOut as error:
        raise NameUnknown("getent", f"the name servers gave no address for {host} within {timeout_s:g} s") from error
    words = outcome.text().split()
    if outcome.returncode != 0 or not words or not is_ip_address(words[0]):
        raise NameUnknown("getent", f"{host} has no address: the name is unknown, or no name server answers")
    return words[0]
