"""Starts the web process: settings from the environment, the application, Waitress.

SIGTERM and SIGINT take the streams off air in order and end the process. SIGHUP executes it anew with the streams on
air; so does anything harder (SIGKILL, a crash) once it is started again: workers outlive it and are adopted.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import Any, NoReturn

from flask import Flask
from waitress import create_server

from app import create_app, service_manager
from app.logs import start_logging
from app.settings import BadSettings, Settings, make_folders, read_settings
from app.store.store import StoreUnavailable
from app.web_services import services_of

log = logging.getLogger("wsgi")

# Waitress keeps a connection's bytes in memory and on disk before Flask sees them; Flask's own limit is lower and
# answers in JSON, so this one only ends what is absurd.
_REQUEST_BYTES_MAX = 4 * 1024 * 1024


def main() -> int:
    """Serve until told to stop; gives the exit code. 78 is EX_CONFIG of sysexits.h."""
    try:
        settings = read_settings(os.environ)
        make_folders(settings)
    except BadSettings as error:
        print(f"The settings are not right:\n{error}", file=sys.stderr)  # noqa: T201 - there is no log yet
        return 78
    start_logging(settings)
    try:
        app = create_app(settings)
    except StoreUnavailable as error:
        log.error("the database cannot be opened: %s; see DATABASE_URL and DATA_FOLDER", error)
        return 78
    manager, network, analyst = services_of(app).manager, services_of(app).network, services_of(app).analyst
    ending = Ending()
    status = _serve(app, settings, ending)
    if ending.signal is signal.SIGHUP:
        log.info("executing anew, streams stay on air")
        manager.detach()
        network.shutdown()
        analyst.close()
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - our own program, our own arguments
    service_manager.tell("STOPPING=1")
    log.info("taking all streams off air")
    manager.shutdown()
    network.shutdown()
    analyst.close()
    log.info("ended")
    return status


class Ending:
    """Which signal ended the server, None while none has."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def __call__(self, number: int, _frame: Any) -> NoReturn:
        """Take the signal. Waitress's loop ends on SystemExit; a second signal must not cut the ending short."""
        for handled in HANDLED:
            signal.signal(handled, signal.SIG_IGN)
        self.signal = signal.Signals(number)
        raise SystemExit(0)


HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def _serve(app: Flask, settings: Settings, ending: Ending) -> int:
    try:
        server = create_server(app, **_waitress_options(settings))
    except OSError as error:
        log.error("cannot serve host=%s port=%d error=%r", settings.host, settings.port, error.strerror)
        return 1
    for handled in HANDLED:
        signal.signal(handled, ending)
    log.info("serving host=%s port=%d threads=%d", settings.host, settings.port, settings.threads)
    service_manager.tell("READY=1")
    service_manager.keep_watchdog_fed(settings.host, settings.port)
    server.run()
    return 0


def _waitress_options(settings: Settings) -> dict[str, Any]:
    return {
        "host": settings.host,
        "port": settings.port,
        "threads": settings.threads,
        "ident": None,
        "max_request_body_size": _REQUEST_BYTES_MAX,
        "max_request_header_size": 32 * 1024,
        "connection_limit": 200,
        "channel_timeout": 30,
        "cleanup_interval": 10,
        # A proxy on this host tells the scheme and the client; nobody else may.
        "trusted_proxy": "127.0.0.1",
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"},
        "clear_untrusted_proxy_headers": True,
        "log_untrusted_proxy_headers": False,
    }


if __name__ == "__main__":
    sys.exit(main())
