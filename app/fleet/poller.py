"""Polls the other hosts in the background, each in its own thread, so that a host that hangs delays no other.

No request to this program waits for another host: pages show the last report and its age.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Final

import msgspec

from app.domain.hosts import HostEntry
from app.fleet.client import Garbled, NoAnswer, get
from app.fleet.report import Contact, HostReport, parse_dashboard

POLL_EVERY_S: Final = 2.0
ANSWER_WITHIN_S: Final = 3.0
# A report that is older than two polls and one time limit is stale.
STALE_AFTER_S: Final = 2 * POLL_EVERY_S + ANSWER_WITHIN_S


class HostPoller:
    """Keeps the last report of each host. Safe to use from many threads; no method waits."""

    def __init__(self, hosts: Sequence[HostEntry] = ()) -> None:
        """Start one thread per host; without hosts there is none."""
        self.hosts = tuple(hosts)
        self._reports = {host.name: HostReport() for host in self.hosts}
        self._closed = threading.Event()
        for host in self.hosts:
            threading.Thread(target=self._follow, args=(host,), name=f"host {host.name}", daemon=True).start()

    def reports(self) -> list[tuple[HostEntry, HostReport]]:
        """Return every host with its last report, in the order of the list."""
        return [(host, self._reports[host.name]) for host in self.hosts]

    def close(self) -> None:
        """End the threads after their present request."""
        self._closed.set()

    def _follow(self, host: HostEntry) -> None:
        while not self._closed.is_set():
            self._reports[host.name] = ask(host, self._reports[host.name])
            self._closed.wait(POLL_EVERY_S)


def ask(host: HostEntry, before: HostReport) -> HostReport:
    """Poll a host once, within ANSWER_WITHIN_S, and return its report.

    After a failure, the earlier data of `before` is kept.
    """
    try:
        status, body = get(host, "/api/dashboard", within_s=ANSWER_WITHIN_S)
    except NoAnswer as error:
        return _failed(before, Contact.SILENT, str(error))
    if status in (401, 403):
        return _failed(before, Contact.REFUSED, "it rejects the API key in HOSTS")
    if status != 200:
        return _failed(before, Contact.GARBLED, f"it answers {status}")
    try:
        dashboard = parse_dashboard(body)
    except Garbled as error:
        return _failed(before, Contact.GARBLED, f"its answer is not a report: {error}")
    return HostReport(Contact.ANSWERED, heard_at=time.monotonic(), dashboard=dashboard)


def is_current(report: HostReport, now: float) -> bool:
    """Whether the last answer was good and is recent; `now` is monotonic time."""
    age_s = report.age_s(now)
    return report.contact is Contact.ANSWERED and age_s is not None and age_s <= STALE_AFTER_S


def _failed(before: HostReport, contact: Contact, detail: str) -> HostReport:
    return msgspec.structs.replace(before, contact=contact, detail=detail[:300])
