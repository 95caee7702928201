"""Posts the verdict of a line-up test to another system as JSON. Only the threads of runs use it."""

from __future__ import annotations

import http.client
import logging
import threading
from typing import Final
from urllib.parse import urlsplit

import msgspec

from app.domain.lineup.run import Run, digest

log = logging.getLogger(__name__)
_WITHIN_S: Final = 5.0
_PAUSES_S: Final = (0.0, 2.0, 10.0)


class Notice(msgspec.Struct, frozen=True):
    """What the other system receives. `verdict` is pass, remarks or fail; null if nothing could be measured."""

    id: str
    state: str
    verdict: str | None
    headline: str
    far_end: str
    production: str
    started_at: float
    finished_at: float | None
    hostname: str
    sha256: str


def notice_of(run: Run) -> Notice:
    """Return the notice of a run that is over."""
    conclusion = run.conclusion
    return Notice(
        id=run.id,
        state=run.state.value,
        verdict=None if conclusion is None else conclusion.verdict.value,
        headline=run.problem if conclusion is None else conclusion.headline,
        far_end=run.plan.far_end,
        production=run.plan.production,
        started_at=run.started_at,
        finished_at=run.finished_at,
        hostname=run.facts.hostname,
        sha256=digest(run),
    )


def send_notice(url: str, run: Run, closed: threading.Event) -> str | None:
    """Post the notice, three times at most. Return why it did not arrive; None if it did or `closed` was set.

    Redirects are not followed, and a proxy in the environment is not used.
    """
    body, problem = msgspec.json.encode(notice_of(run)), None
    for pause_s in _PAUSES_S:
        if closed.wait(pause_s):
            return None
        problem = _post(url, body)
        if problem is None:
            return None
        log.warning("the verdict of the line-up test %s was rejected: %s", run.id, problem)
    return problem


def _post(url: str, body: bytes) -> str | None:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_WITHIN_S)
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return None if 200 <= status < 300 else f"it answered {status}"
