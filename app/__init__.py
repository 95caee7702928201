"""MCR SRT Streamer: sends, receives and measures MPEG transport streams over SRT.

`application.py` wires the web application. It is imported only to make a web application, so that a worker (`python -m
app.worker.worker`) never loads Flask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.settings import Settings
    from app.supervisor.launchers.base import Launcher
    from app.web.services import Manager, Media


def create_app(
    settings: Settings, *, launcher: Launcher | None = None, manager: Manager | None = None, media: Media | None = None
) -> Flask:
    """Make the web application of one installation.

    Without a `manager` it makes the real one, which starts workers with `launcher`: on this host by default. The caller
    must shut the manager down: `web.services.services_of(app).manager.shutdown()`.
    """
    from app import application

    return application.create_app(settings, launcher=launcher, manager=manager, media=media)
