"""What a worker of the direct engine keeps in memory next to others, as the kernel counts it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.domain.spec import FileSource
from app.supervisor.launchers.base import WorkerHandle, wait_dead
from app.supervisor.launchers.local import LocalLauncher
from benchmarks.crowd import Crowd
from tests.instruments.processes import pss_mb
from tests.instruments.waiting import free_ports
from tests.instruments.worker import job_for

WORKERS = 10
PSS_MB_MAX = 14.0


@pytest.fixture
def workers(sample: Path) -> Iterator[dict[int, WorkerHandle]]:
    """Workers by their ports, started as the product starts them."""
    with tempfile.TemporaryDirectory(prefix="mcr-") as folder:
        launcher, started = LocalLauncher(Path(folder)), dict[int, WorkerHandle]()
        try:
            for port in free_ports(WORKERS):
                job = job_for(FileSource(sample.name), port=port, file_path=sample, engine="direct")
                started[port] = launcher.launch(msgspec.structs.replace(job, key=f"port{port}"))
            yield started
        finally:
            for worker in started.values():
                worker.kill()
            assert not wait_dead(list(started.values()), 5)


def test_each_of_ten_workers_with_a_receiver_needs_at_most_fourteen_megabytes(
    workers: dict[int, WorkerHandle],
) -> None:
    with Crowd(list(workers)) as crowd:
        crowd.wait_for_all()
        used_mb = [pss_mb(worker.pid) for worker in workers.values()]
    assert max(used_mb) <= PSS_MB_MAX, used_mb
