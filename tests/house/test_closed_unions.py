"""A new endpoint, source or engine is a type error at every place that does not handle it yet."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATCHES = {
    "endpoint.py": (
        "Endpoint = ListenerEndpoint | CallerEndpoint\n",
        'class DummyEndpoint(Part, frozen=True, tag_field="mode", tag="dummy"):\n    """A third endpoint."""\n\n'
        "    port: int\n\n\nEndpoint = ListenerEndpoint | CallerEndpoint | DummyEndpoint\n",
    ),
    "source.py": (
        "Source = FileSource | MulticastSource | BarsSource\n",
        'class DummySource(Part, frozen=True, tag_field="kind", tag="dummy"):\n    """A fourth source."""\n\n\n'
        "Source = FileSource | MulticastSource | BarsSource | DummySource\n",
    ),
    "job.py": ('    RELAY = "relay"\n', '    RELAY = "relay"\n    DUMMY = "dummy"\n'),
    "send.py": ('"gstreamer", "direct"]', '"gstreamer", "direct", "dummy"]'),
}
# Each file that must handle a kind, with what mypy says there.
CONSUMERS = {
    "app/domain/spec/send.py": "DummyEndpoint",
    "app/domain/spec/receive.py": "DummyEndpoint",
    "app/domain/spec/parse.py": "DummyEndpoint",
    "app/srt/spec_options.py": "DummyEndpoint",
    "app/fleet/cost.py": "DummySource",
    "app/engines/gstreamer/pipeline.py": "DummyEndpoint",
    "app/web/presenters/specs.py": "DummyEndpoint",
    "app/receiver/connection.py": "DummyEndpoint",
    "app/supervisor/health.py": "DummySource",
    "app/worker/guard.py": "DummySource",
    "app/streams/jobs.py": "DummySource",
    "app/streams/relays.py": "DummyEndpoint",
    "app/lineup/path_checks.py": "DummyEndpoint",
    "app/lineup/rate_steps.py": "DummyEndpoint",
    "app/lineup/temporary.py": "DummyEndpoint",
    "app/configuration/plan.py": "DummyEndpoint",
    "app/engines/gstreamer/sources.py": "DummySource",
    "app/domain/spec/job.py": "dummy",
    "app/domain/carriage.py": "dummy",
    "app/engines/direct/sender.py": "DummyEndpoint",
    "app/engines/direct/feed.py": "DummySource",
    "app/worker/engines.py": "DUMMY",
}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the output of mypy for a copy of the product with a new endpoint, a new source and a new engine."""
    copy = tmp_path_factory.mktemp("closed")
    for name in ("app", ".mypy_cache"):  # the cache only saves time
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("static", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for name, (old, new) in PATCHES.items():
        file = copy / "app" / "domain" / "spec" / name
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "-p", "app", "--no-error-summary"],
        cwd=copy,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert not checked.stderr
    return checked.stdout.splitlines()


def test_every_consumer_of_an_endpoint_a_source_and_an_engine_must_handle_a_new_one(complaints: list[str]) -> None:
    silent = {
        file: kind
        for file, kind in CONSUMERS.items()
        if not any(line.startswith(f"{file}:") and kind in line for line in complaints)
    }
    assert not silent, "\n".join(complaints)


def test_only_those_consumers_are_concerned(complaints: list[str]) -> None:
    files = {match[1] for line in complaints if (match := re.match(r"(app/[\w/]+\.py):\d+: error", line))}
    assert files - set(CONSUMERS) == set(), "\n".join(complaints)
