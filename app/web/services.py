"""What the pages and the API work with: one set of services per application, found through Flask."""

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
    """What the web layer needs of stream_manager.StreamManager. Nothing here waits for more than 3 s."""

    def book(self) -> Book:
        """The presets and the address book. Nothing in it waits for more than some seconds."""

    def start(self, spec: JobSpec, *, actor: str = ..., for_rehearsal: bool = ...) -> Snapshot:
        """Put a stream on air. Raises a ProductError when it cannot be."""

    def add_off_air(self, spec: JobSpec, *, actor: str = ...) -> Snapshot:
        """List a new stream and leave it off air. Raises a ProductError when it cannot be."""

    def stop(self, key: str, *, actor: str = ...) -> Snapshot:
        """Take a stream off air; it stays listed. Raises NotFound."""

    def restart(self, key: str, *, actor: str = ...) -> Snapshot:
        """Put it on air again with the same spec. Raises NotFound."""

    def change(self, key: str, spec: JobSpec, *, actor: str = ...) -> Snapshot:
        """Give it another spec and restart it where it runs. Raises a ProductError when the spec is refused."""

    def dismiss(self, key: str, *, actor: str = ...) -> None:
        """Take it off air and forget it. Raises NotFound."""

    def undo_dismiss(self, key: str, *, actor: str = ...) -> Snapshot:
        """Bring it back within 10 s, on air if it was. Raises NotFound."""

    def impair(self, key: str, impairment: Impairment, *, actor: str = ...) -> Snapshot:
        """Change what a relay does, without a break. Raises NotFound and WrongState."""

    def cut(self, key: str, for_ms: float, direction: CutDirection = ..., *, actor: str = ...) -> Snapshot:
        """Let nothing pass a relay for a time. Raises NotFound and WrongState."""

    def list(self) -> list_of[Snapshot]:
        """All streams, oldest first."""

    def get(self, key: str) -> Snapshot:
        """One stream. Raises NotFound."""

    def history(self, key: str, seconds: int, /) -> list_of[Second]:
        """Its last seconds, oldest first. Raises NotFound."""

    def picture(self, key: str, /) -> bytes | None:
        """The newest key frame of a receive stream as JPEG, None without one. Raises NotFound."""

    def deliveries(self, key: str, seconds: int, /) -> list_of[DeliveryPoint]:
        """A reception's last seconds, oldest first; by the minute beyond an hour. Raises NotFound."""

    def reset(self, key: str, *, actor: str = ...) -> Snapshot:
        """Count a reception from zero. Raises NotFound."""

    def summaries(self, key: str, start: float, end: float, /) -> list_of[Summary]:
        """Its ten-second summaries of up to 72 hours, oldest first. Raises NotFound."""

    def debug(self, key: str) -> StreamDebug:
        """Raw engine values without secrets. Raises NotFound."""

    def passphrase(self, key: str) -> Secret | None:
        """Its passphrase, for the far-end card. Raises NotFound."""

    def events(self, *, key: str | None = ..., limit: int = ...) -> list_of[LogEntry]:
        """The event log, newest first."""

    def note(self, text: str) -> None:
        """Write a warning that concerns no single stream into the event log."""

    def free_ports(self) -> list_of[int]:
        """Listener ports that no stream and no program holds."""

    def store_problem(self) -> str | None:
        """Why orders and events cannot be kept at present, None when they can."""

    def runtime_problem(self) -> str | None:
        """Why no worker could be started at present, None when no problem is known."""

    def shutdown(self) -> None:
        """Stop all streams in order."""

    def detach(self) -> None:
        """Leave all streams on air and release them."""


class Media(Protocol):
    """What the web layer needs of media.patience.PatientLibrary. Nothing here waits for more than 4 s."""

    def check(self, path: str) -> Any:
        """A quick look at a file. Raises InvalidInput when it cannot be streamed."""

    def resolve(self, path: str) -> Path:
        """The absolute path of a file. Raises InvalidInput when there is no such file."""

    def list(self, path: str = ...) -> Any:
        """A folder's sub-folders and files. Raises InvalidInput or NotFound."""

    def problem(self) -> str | None:
        """Why the media folder cannot be used, as a sentence; None when it can."""


@dataclass(frozen=True)
class Services:
    """All that a request needs."""

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
        """What of the installation does not work, a sentence for each part."""
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
    """Give an application its services."""
    app.extensions[_NAME] = made


def services_of(app: Flask) -> Services:
    """The services of an application."""
    return cast(Services, app.extensions[_NAME])


def services() -> Services:
    """The services of the application that serves the present request."""
    return services_of(current_app)
