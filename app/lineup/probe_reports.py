"""Keeps reports that probes posted to this installation: one JSON file each in the data folder, the newest 200."""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
import threading
import time
from pathlib import Path
from typing import Final

import msgspec

from app.domain.errors import NotFound
from app.domain.lineup.measured import ReceiverSecond
from app.domain.probe_report import KeptReport, ProbeReport
from app.machine.atomic_file import write_atomically
from app.machine.steady_clock import unix_now

log = logging.getLogger(__name__)
KEPT_MAX: Final = 200
_FILE_BYTES_MAX: Final = 2 * 1024 * 1024
_PREFIX: Final = "probe_report-"
_ID: Final = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}")


class ProbeReports:
    """The kept reports. Safe to use from the threads of requests."""

    def __init__(self, folder: Path) -> None:
        """Read the reports of earlier processes. An unreadable file is logged and left in place."""
        self._folder = folder
        self._lock = threading.Lock()
        self._kept = {kept.id: kept for kept in _read_all(folder)}

    def keep(self, report: ProbeReport, *, actor: str) -> KeptReport:
        """Keep a report and delete the oldest above the limit. If the disk refuses, it is lost at a restart."""
        now = unix_now()
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
        kept = KeptReport(f"{stamp}-{secrets.token_hex(4)}", now, actor, report, len(report.history))
        with self._lock:
            try:
                write_atomically(self._path(kept.id), msgspec.json.encode(kept))
            except OSError as error:
                log.warning("the probe report %s cannot be written: %s", kept.id, error)
                kept = msgspec.structs.replace(kept, history_seconds=0)
            kept = _without_history(kept)
            self._kept[kept.id] = kept
            for old in sorted(self._kept)[:-KEPT_MAX]:
                self._forget(old)
        return kept

    def reports(self) -> list[KeptReport]:
        """Return every report, newest first."""
        with self._lock:
            return sorted(self._kept.values(), key=lambda kept: kept.id, reverse=True)

    def get(self, report_id: str) -> KeptReport:
        """Return a report. Raises NotFound."""
        with self._lock:
            if (kept := self._kept.get(report_id)) is None:
                raise NotFound(f"there is no probe report {report_id[:40]}")
            return kept

    def history(self, report_id: str) -> list[ReceiverSecond]:
        """Return the seconds of a report from its file; none if the disk refuses. Raises NotFound."""
        path = self._path(self.get(report_id).id)
        try:
            return msgspec.json.decode(path.read_bytes(), type=KeptReport).report.history
        except (OSError, msgspec.DecodeError) as error:
            log.warning("the probe report %s cannot be read: %s", report_id, error)
            return []

    def remove(self, report_id: str) -> None:
        """Delete a report. Raises NotFound."""
        self.get(report_id)
        with self._lock:
            self._forget(report_id)

    def _forget(self, report_id: str) -> None:
        if self._kept.pop(report_id, None) is not None:
            with contextlib.suppress(OSError):
                self._path(report_id).unlink(missing_ok=True)

    def _path(self, report_id: str) -> Path:
        return self._folder / f"{_PREFIX}{report_id}.json"


def _without_history(kept: KeptReport) -> KeptReport:
    return msgspec.structs.replace(kept, report=msgspec.structs.replace(kept.report, history=[]))


def _read_all(folder: Path) -> list[KeptReport]:
    found = []
    for path in sorted(folder.glob(f"{_PREFIX}*.json"))[-KEPT_MAX:]:
        try:
            if _ID.fullmatch(path.stem.removeprefix(_PREFIX)) and path.stat().st_size <= _FILE_BYTES_MAX:
                found.append(_without_history(msgspec.json.decode(path.read_bytes(), type=KeptReport)))
        except (OSError, msgspec.DecodeError) as error:
            log.warning("the probe report %s cannot be read: %s", path.name, error)
    return found
