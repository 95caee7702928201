"""Starts the web process: settings from the environment, the application, Waitress.

SIGTERM and SIGINT take the streams off air in order and end the process. Anything harder (SIGKILL, a crash) leaves
the workers sending; the next web process adopts them.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import Any, NoReturn

from flask import Flask
from waitress import create_server

from app import create_app
from app.logs import start_logging
from app.settings import BadSettings, Settings, make_folders, read_settings
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
    app = create_app(settings)
    try:
        return _serve(app, settings)
    finally:
        log.info("taking all streams off air")
        services_of(app).manager.shutdown()
        log.info("ended")


def _serve(app: Flask, settings: Settings) -> int:
    try:
        server = create_server(app, **_waitress_options(settings))
    except OSError as error:
        log.error("cannot serve host=%s port=%d error=%r", settings.host, settings.port, error.strerror)
        return 1
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    log.info("serving host=%s port=%d threads=%d", settings.host, settings.port, settings.threads)
    server.run()
    return 0


def _leave(_signal: int, _frame: Any) -> NoReturn:
    # Waitress's loop ends on SystemExit. A second signal must not cut short the streams' own ending.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise SystemExit(0)


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
