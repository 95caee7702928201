"""Posts a probe's result to another installation. The API key comes from a file or the environment, never from argv."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import click
import msgspec

from app.cli.api import Api
from app.cli.probe_run import Outcome
from app.domain.figures.live_report import LiveReport
from app.domain.figures.reception import DeliveryPoint
from app.domain.lineup.measured import ReceiverSecond, receiver_second
from app.domain.probe_report import ProbeIndicator, ProbeReport, Severity
from app.domain.spec import ReceiveSpec
from app.domain.version import VERSION
from app.web.presenters.reception_views import ReceptionView
from app.web.presenters.specs import target_of
from app.words.states import reason_text


def api_of(url: str, key_file: Path | None) -> Api:
    """Return a client for the installation at `http://host:port`. Raises click.UsageError."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError outside 0 to 65535
    except ValueError as error:
        raise click.UsageError(f"{url}: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise click.UsageError("write the address of the installation as http://host:port or https://host")
    return Api.at(url.rstrip("/"), _key(key_file))


def _key(key_file: Path | None) -> str:
    if key_file is None:
        return os.environ.get("API_KEY", "")
    try:
        return key_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"the API key cannot be read: {error}") from None


def post(api: Api, spec: ReceiveSpec, outcome: Outcome, view: ReceptionView | None) -> str:
    """Post the result and return its identifier. Raises Refused or ServerUnreachable."""
    document = msgspec.to_builtins(_report(spec, outcome, view))
    return str(api.post("/api/probe_reports", document)["id"])


def _report(spec: ReceiveSpec, outcome: Outcome, view: ReceptionView | None) -> ProbeReport:
    host, target = socket.gethostname()[:253] or "unknown", target_of(spec)[:300]
    started_at, ended_at = outcome.started_at, max(outcome.started_at, outcome.ended_at)
    if view is None:
        text = f"no connection: {reason_text(outcome.problem)}"
        return ProbeReport(host, target, started_at, ended_at, "none", text, version=VERSION)
    late = view.lateness_ms
    return ProbeReport(
        host=host,
        target=target,
        started_at=started_at,
        ended_at=ended_at,
        severity=msgspec.convert(view.verdict.severity, Severity),
        text=view.verdict.text[:500],
        findings=[finding[:500] for finding in view.verdict.findings[:30]],
        version=VERSION,
        seconds=view.seconds,
        packets_unique=view.packets_unique,
        packets_recovered=view.packets_recovered,
        packets_dropped=view.packets_dropped,
        packets_undecryptable=view.packets_undecryptable,
        continuity_errors=view.continuity_errors,
        latency_ms=view.latency_ms,
        lateness_p99_ms=late.p99 if late else None,
        lateness_max_ms=late.max if late else None,
        longest_gap_ms=view.longest_gap_ms,
        longest_freeze_ms=view.longest_freeze_ms,
        rtt_ms=view.rtt_ms.avg if view.rtt_ms else None,
        delivered_mbps=view.delivered_mbps,
        error_seconds=view.error_seconds,
        indicators=None if outcome.analysis is None else _indicators(outcome.analysis),
        history=[_second(point) for point in outcome.history],
    )


def _indicators(analysis: LiveReport) -> dict[str, ProbeIndicator]:
    return {each.name: ProbeIndicator(each.priority, each.error_seconds) for each in analysis.indicators}


def _second(point: DeliveryPoint) -> ReceiverSecond:
    second = receiver_second(point)
    rounded = {name: value for name, value in msgspec.structs.asdict(second).items() if isinstance(value, float)}
    return msgspec.structs.replace(second, **{name: round(value, 3) for name, value in rounded.items()})
