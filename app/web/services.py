"""The services that pages and API use: one set per application, found through Flask."""

from __future__ import annotations

from builtins import list as list_of
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, cast

from flask import Flask, current_app

from app.documents.library import DocumentLibrary
from app.domain.events import LogEntry
from app.domain.figures.debug import StreamDebug
from app.domain.figures.history import Second
from app.domain.figures.reception import DeliveryPoint
from app.domain.figures.summaries import Summary
from app.domain.impairment.model import CutDirection, Impairment
from app.domain.secret import Secret
from app.domain.snapshot import Snapshot
from app.domain.spec import JobSpec
from app.fleet.poller import HostPoller
from app.lineup.probe_reports import ProbeReports
from app.lineup.runner import LineUpRunner
from app.lineup.saved_limits import LimitsBook
from app.machine.logs import log_problem
from app.machine.versions import VersionReader, missing_programs
from app.media.analysis import MediaAnalyst
from app.media.channels import ChannelList
from app.network_test import NetworkTester
from app.presets.book import Book
from app.rehearsal.own_profiles import OwnProfiles
from app.rehearsal.runner import RehearsalRunner
from app.settings import PROJECT_FOLDER, Settings
from app.utils import SystemMeter, WorkerMeter
from app.web.presenters.machine import present_problems

_NAME: Final = "mcr_srt_streamer"


class Manager(Protocol):
    """The methods of stream_manager.StreamManager that the web layer needs. None waits for more than 3 s."""

    def book(self) -> Book:
        """The presets and the address book. No method waits for more than a few seconds."""

    def start(self, spec: JobSpec, *, actor: str = ..., for_rehearsal: bool = ...) -> Snapshot:
        """Put a stream on air. Raises a ProductError if that fails."""

    def add_off_air(self, spec: JobSpec, *, actor: str = ...) -> Snapshot:
        """List a new stream without putting it on air. Raises a ProductError if that fails."""

    def stop(self, key: str, *, actor: str = ...) -> Snapshot:
        """Take a stream off air; it stays listed. Raises NotFound."""

    def restart(self, key: str, *, actor: str = ...) -> Snapshot:
        """Put a stream on air again with the same spec. Raises NotFound."""

    def change(self, key: str, spec: JobSpec, *, actor: str = ...) -> Snapshot:
        """Give a stream another spec and restart it if it runs. Raises a ProductError if the spec is refused."""

    def dismiss(self, key: str, *, actor: str = ...) -> None:
        """Take a stream off air and delete it. Raises NotFound."""

    def undo_dismiss(self, key: str, *, actor: str = ...) -> Snapshot:
        """Bring a stream back within 10 s, on air if it was. Raises NotFound."""

    def impair(self, key: str, impairment: Impairment, *, actor: str = ...) -> Snapshot:
        """Change a relay's impairment without interruption. Raises NotFound and WrongState."""

    def cut(self, key: str, for_ms: float, direction: CutDirection = ..., *, actor: str = ...) -> Snapshot:
        """Block a relay for a time. Raises NotFound and WrongState."""

    def list(self) -> list_of[Snapshot]:
        """Return all streams, oldest first."""

    def get(self, key: str) -> Snapshot:
        """Return a stream. Raises NotFound."""

    def history(self, key: str, seconds: int, /) -> list_of[Second]:
        """Return a stream's last seconds, oldest first. Raises NotFound."""

    def picture(self, key: str, /) -> bytes | None:
        """Return the newest key frame of a receive stream as JPEG, None without one. Raises NotFound."""

    def deliveries(self, key: str, seconds: int, /) -> list_of[DeliveryPoint]:
        """Return a reception's last seconds, oldest first; beyond an hour by the minute. Raises NotFound."""

    def reset(self, key: str, *, actor: str = ...) -> Snapshot:
        """Count a reception from zero. Raises NotFound."""

    def summaries(self, key: str, start: float, end: float, /) -> list_of[Summary]:
        """Return a stream's ten-second summaries of up to 72 hours, oldest first. Raises NotFound."""

    def debug(self, key: str) -> StreamDebug:
        """Return raw engine values without secrets. Raises NotFound."""

    def passphrase(self, key: str) -> Secret | None:
        """Return a stream's passphrase, for the far-end card. Raises NotFound."""

    def events(self, *, key: str | None = ..., limit: int = ...) -> list_of[LogEntry]:
        """Return the event log, newest first."""

    def note(self, text: str) -> None:
        """Log a warning that is not about a single stream in the event log."""

    def free_ports(self) -> list_of[int]:
        """Return listener ports that no stream and no other program uses."""

    def store_problem(self) -> str | None:
        """Why orders and events cannot be stored at present, None if they can."""

    def runtime_problem(self) -> str | None:
        """Why no worker could be started at present, None when no problem is known."""

    def shutdown(self) -> None:
        """Stop all streams in order."""

    def detach(self) -> None:
        """Release all streams and leave them on air."""


class Media(Protocol):
    """The methods of media.patience.PatientLibrary that the web layer needs. None waits for more than 4 s."""

    def check(self, path: str) -> Any:
        """Check a file quickly. Raises InvalidInput if it cannot be streamed."""

    def resolve(self, path: str) -> Path:
        """Return the absolute path of a file. Raises InvalidInput if there is no such file."""

    def list(self, path: str = ...) -> Any:
        """Return a folder's sub-folders and files. Raises InvalidInput or NotFound."""

    def problem(self) -> str | None:
        """Why the media folder cannot be used, as a sentence; None if it can."""


@dataclass(frozen=True)
class Services:
    """The services that a request needs."""

    settings: Settings
    manager: Manager
    media: Media
    system: SystemMeter
    network: NetworkTester
    channels: ChannelList
    shipped_channels: ChannelList
    analyst: MediaAnalyst
    line_ups: LineUpRunner
    probe_reports: ProbeReports
    limits_book: LimitsBook
    rehearsals: RehearsalRunner
    own_profiles: OwnProfiles
    hosts: HostPoller = field(default_factory=HostPoller)
    workers: WorkerMeter = field(default_factory=WorkerMeter)
    versions: VersionReader = field(default_factory=VersionReader)
    documents: DocumentLibrary = field(default_factory=lambda: DocumentLibrary(PROJECT_FOLDER))
    missing_programs: list[str] = field(default_factory=missing_programs)
    cluster_problem: Callable[[], str | None] = lambda: None

    def problems(self) -> dict[str, str]:
        """Return the faults of the installation, one sentence each."""
        return present_problems(
            store_problem=self.manager.store_problem(),
            log_problem=log_problem(),
            runtime_problem=self.manager.runtime_problem(),
            media_problem=self.media.problem(),
            cluster_problem=self.cluster_problem(),
        )

    @property
    def media_folder(self) -> Path:
        """Where the transport stream files are."""
        return self.settings.media_folder


def install_services(app: Flask, made: Services) -> None:
    """Store the services in an application."""
    app.extensions[_NAME] = made


def services_of(app: Flask) -> Services:
    """Return the services of an application."""
    return cast(Services, app.extensions[_NAME])


def services() -> Services:
    """Return the services of the application that serves the present request."""
    return services_of(current_app)
