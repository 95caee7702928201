"""Wires the web application: settings, services, pages and the API. Nothing is decided here."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Final, assert_never

from flask import Flask

from app.domain.hosts import without
from app.fleet.launcher import PacemakerLauncher
from app.fleet.poller import HostPoller
from app.lineup.probe_reports import ProbeReports
from app.lineup.receivers import Installations
from app.lineup.runner import LineUpRunner
from app.lineup.saved_limits import LimitsBook
from app.media.analysis import MediaAnalyst
from app.media.channels import ChannelList
from app.media.library import MediaLibrary
from app.media.patience import PatientLibrary
from app.network_test import NetworkTester
from app.rehearsal.own_profiles import OwnProfiles
from app.rehearsal.runner import RehearsalRunner
from app.routes import pages
from app.settings import SHIPPED_CHANNELS_FILE, Settings
from app.store.store import Store
from app.stream_manager import StreamManager
from app.supervisor.launchers.base import Launcher
from app.supervisor.launchers.local import LocalLauncher
from app.utils import SystemMeter
from app.web.access import guard
from app.web.api.all_streams import all_streams
from app.web.api.configurations import configurations
from app.web.api.hosts import hosts
from app.web.api.impairment_profiles import impairment_profiles
from app.web.api.line_up_limits import line_up_limits
from app.web.api.line_ups import line_ups
from app.web.api.machine import machine
from app.web.api.network_tests import network_tests
from app.web.api.operations import operations
from app.web.api.presets import presets
from app.web.api.probe_reports import probe_reports
from app.web.api.query import check_query
from app.web.api.receptions import receptions
from app.web.api.rehearsals import rehearsals
from app.web.api.relays import relays
from app.web.api.streams import api
from app.web.errors import BODY_BYTES_MAX, register_error_handlers
from app.web.failed_keys import FailedKeys
from app.web.hosts import own_names
from app.web.limits import limit_rates
from app.web.pages.about import about_pages
from app.web.pages.configuration import configuration_pages
from app.web.pages.documents import document_pages
from app.web.pages.hosts import host_pages
from app.web.pages.impairment import impairment_pages
from app.web.pages.line_up import line_up_pages
from app.web.pages.network_test import network_test_pages
from app.web.pages.presets import preset_pages
from app.web.pages.receive import receive_pages
from app.web.services import Manager, Media, Services, install_services, services_of
from app.web.static_files import register_static_files

_BLUEPRINTS: Final = (
    pages,
    about_pages,
    document_pages,
    configuration_pages,
    host_pages,
    impairment_pages,
    line_up_pages,
    network_test_pages,
    preset_pages,
    receive_pages,
    api,
    all_streams,
    receptions,
    relays,
    machine,
    configurations,
    hosts,
    line_ups,
    line_up_limits,
    rehearsals,
    impairment_profiles,
    operations,
    network_tests,
    presets,
    probe_reports,
)


def create_app(
    settings: Settings, *, launcher: Launcher | None = None, manager: Manager | None = None, media: Media | None = None
) -> Flask:
    """Make the web application of one installation; see `app.create_app`."""
    app = _web_of(settings)
    library = PatientLibrary(MediaLibrary(settings.media_folder))
    workers = launcher or _launcher_of(settings)
    streams = manager or _manager_of(settings, workers, library)
    probe_reports = ProbeReports(settings.data_folder)
    rehearsals_of_host = RehearsalRunner(streams, settings.data_folder)
    limit_rates(app, writes_per_minute=settings.writes_per_minute)
    install_services(
        app,
        Services(
            settings=settings,
            manager=streams,
            media=media or library,
            system=SystemMeter(library.disk_use),
            network=NetworkTester.of(settings),
            channels=ChannelList(settings.channels_file),
            shipped_channels=ChannelList(SHIPPED_CHANNELS_FILE),
            analyst=MediaAnalyst(library),
            hosts=HostPoller(without(settings.hosts, socket.gethostname())),
            probe_reports=probe_reports,
            limits_book=LimitsBook(settings.data_folder / "line_up_limits.json"),
            line_ups=LineUpRunner(
                Installations(streams, settings.hosts, probe_reports),
                rehearsals_of_host,
                settings.data_folder,
                hostname=socket.gethostname(),
                webhook=settings.line_up_webhook,
            ),
            rehearsals=rehearsals_of_host,
            own_profiles=OwnProfiles(settings.data_folder / "impairment_profiles.json"),
            cluster_problem=workers.cluster_problem,
        ),
    )
    return app


def _web_of(settings: Settings) -> Flask:
    """Return the Flask application with its access checks and routes, without the services."""
    app = Flask("app")
    app.config["SECRET_KEY"] = settings.secret_key.reveal()
    app.config["TEMPLATES_AUTO_RELOAD"] = settings.flask_env == "development"
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES_MAX
    register_error_handlers(app)
    register_static_files(app)
    names = {*own_names(), settings.host, *settings.trusted_hosts}
    guard(app, settings.api_key, names, FailedKeys(lambda text: services_of(app).manager.note(text)))
    app.before_request(check_query)
    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


def _manager_of(settings: Settings, launcher: Launcher, media: PatientLibrary) -> StreamManager:
    # Copies go to folders in memory: a disk that accepts no writes accepts no copy either.
    copy_folders = (settings.runtime_folder, Path("/dev/shm"))  # noqa: S108 - a folder of this user's own is made in it
    store = Store(settings.database_url, settings.secret_key, copy_folders=copy_folders)
    return StreamManager(settings, launcher, media, store)


def _launcher_of(settings: Settings) -> Launcher:
    match settings.launcher:
        case "local":
            return LocalLauncher(settings.runtime_folder)
        case "pacemaker":
            return PacemakerLauncher.of(settings)
        case _:
            assert_never(settings.launcher)
