"""Starts the web process: settings from the environment, the application, Waitress.

SIGTERM and SIGINT take the streams off air in order and end the process. SIGHUP executes it again with the streams on
air; so does anything harder (SIGKILL, a crash) once it is started again: workers outlive it and are adopted.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sys
from typing import Any

from flask import Flask
from waitress import create_server

from app import create_app
from app.machine import service_manager
from app.machine.instance import AlreadyRunning, sole_instance
from app.machine.limits import limit_process
from app.machine.logs import start_logging
from app.settings import BadSettings, Settings, make_folders, read_settings
from app.store.sole_user import sole_user
from app.store.unavailable import StoreUnavailable
from app.web.acceptor import pause_when_refused
from app.web.services import services_of

log = logging.getLogger("wsgi")

# Waitress keeps a connection's bytes in memory and on disk before Flask sees them; Flask's own limit is lower and
# answers in JSON, so this one only ends what is absurd.
_REQUEST_BYTES_MAX = 4 * 1024 * 1024


def main() -> int:
    """Serve until asked to stop; return the exit code, by sysexits.h where that has one."""
    ending = Ending()
    limit_process()
    try:
        settings = read_settings(os.environ)
        make_folders(settings)
    except BadSettings as error:
        print(f"The settings are not valid:\n{error}", file=sys.stderr)  # noqa: T201 - there is no log yet
        return os.EX_CONFIG
    start_logging(settings)
    try:
        with sole_instance(settings.runtime_folder, settings.data_folder), sole_user(settings.database_url):
            return _run(settings, ending)
    except AlreadyRunning as error:
        log.error("not started: %s; see RUNTIME_FOLDER and DATA_FOLDER", error)
    except BadSettings as error:
        log.error("the settings are not right: %s", error)
        return os.EX_CONFIG
    except StoreUnavailable as error:
        log.error("the database cannot be opened: %s; see DATABASE_URL and DATA_FOLDER", error)
    return os.EX_UNAVAILABLE


def _run(settings: Settings, ending: Ending) -> int:
    app = create_app(settings)
    running = services_of(app)
    status = _serve(app, settings, ending)
    running.line_ups.close()
    running.rehearsals.close()
    if ending.signal is signal.SIGHUP or status:
        # A server that cannot serve must not take streams off air: the next process adopts them.
        running.manager.detach()
    else:
        service_manager.notify("STOPPING=1")
        log.info("taking all streams off air")
        running.manager.shutdown()
    running.network.shutdown()
    running.analyst.close()
    if ending.signal is signal.SIGHUP:
        log.info("executing again, streams stay on air")
        # The next feed comes only once the new program serves, which takes its time on a busy machine.
        service_manager.notify("WATCHDOG=1")
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - our own program, our own arguments
    log.info("ended")
    return status


class Ending:
    """Takes the signals that end the server: `signal` is the one that came, None while none has."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self.is_serving = False
        for handled in HANDLED:
            signal.signal(handled, self._take)

    def _take(self, number: int, _frame: Any) -> None:
        """Waitress's loop ends on SystemExit; before it runs, and once it ends, nothing may be cut short."""
        for handled in HANDLED:
            signal.signal(handled, signal.SIG_IGN)
        self.signal = signal.Signals(number)
        if self.is_serving:
            raise SystemExit(0)


HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def _serve(app: Flask, settings: Settings, ending: Ending) -> int:
    """Serve until a signal comes, or came already; gives 1 when that cannot be."""
    try:
        server = create_server(app, **_waitress_options(settings))
    except OSError as error:
        log.error("cannot serve host=%s port=%d error=%r", settings.host, settings.port, error.strerror)
        return 1
    pause_when_refused(server)
    log.info("serving host=%s port=%d threads=%d", settings.host, settings.port, settings.threads)
    log.info("ready, open %s", _address_to_open(settings))
    service_manager.notify("READY=1")
    service_manager.keep_watchdog_fed(settings.host, settings.port)
    with contextlib.suppress(SystemExit):
        ending.is_serving = True
        if ending.signal is None:
            server.run()
    return 0


def _address_to_open(settings: Settings) -> str:
    """The address of the pages: by this host's name where the server listens on every interface."""
    host = socket.gethostname() if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared only
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/"


def _waitress_options(settings: Settings) -> dict[str, Any]:
    return {
        "host": settings.host,
        "port": settings.port,
        "threads": settings.threads,
        "ident": None,
        "max_request_body_size": _REQUEST_BYTES_MAX,
        "max_request_header_size": 32 * 1024,
        "connection_limit": 200,
        "asyncore_use_poll": True,  # select(2) ends at descriptor 1023, and every worker has two
        "channel_timeout": 30,
        "cleanup_interval": 10,
        # A proxy on this host reports the scheme and the client; no other client may. The host's name is in Host:
        # from X-Forwarded-Host any page in a browser on this host could give itself a trusted one.
        "trusted_proxy": "127.0.0.1",
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
        "clear_untrusted_proxy_headers": True,
        "log_untrusted_proxy_headers": False,
    }


if __name__ == "__main__":
    sys.exit(main())
