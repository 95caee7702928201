"""An upgrade: workers of an earlier release stay on air and are adopted by the web process of this one."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.instruments.audience import PATIENT_MS, audience
from tests.instruments.child import ROOT, is_alive
from tests.instruments.product import Product
from tests.instruments.receivers import Receiver
from tests.instruments.waiting import wait_for

BEFORE_THE_LAYOUT = "7a1b5f1"  # it has one engine
BEFORE_BATCHES = "4a6da37"  # its receiver reads one message at a time
LIGHT_MBPS = 4
ENCRYPTION = {"key_bits": 256, "passphrase": "ten letters and more"}


def secured(port: int, **wanted: Any) -> Receiver:
    """Call a listener with the passphrase."""
    return Receiver.calling(port, passphrase=ENCRYPTION["passphrase"], **wanted)


def raw_values(product: Product, key: str) -> dict[str, Any]:
    """Return the raw values of a stream's worker; the web process waits a second at most for them."""
    path = f"/api/streams/{key}/debug"
    values: dict[str, Any] = wait_for(lambda: product.get(path).document["worker"], deadline_s=10, what="raw values")
    return values


def tree_of(commit: str, folder: Path) -> Path:
    """Return the files of a commit. Fails in a clone without the history."""
    archive = folder / "tree.tar"
    subprocess.run(["git", "archive", "--prefix=tree/", "--output", archive, commit], cwd=ROOT, check=True)
    subprocess.run(["tar", "--extract", "--file", archive], cwd=folder, check=True)
    return folder / "tree"


@pytest.mark.campaign  # needs the history, which a shallow clone has not
@pytest.mark.parametrize(
    ("commit", "engine"),
    [(BEFORE_THE_LAYOUT, None), (BEFORE_BATCHES, "gstreamer"), (BEFORE_BATCHES, "direct")],
)
def test_workers_of_an_earlier_release_are_adopted_and_nobody_notices(
    commit: str, engine: str | None, light_sample: Path, tmp_path: Path
) -> None:
    chosen: dict[str, Any] = {} if engine is None else {"engine": engine}
    with (
        Product(light_sample, tree_of(commit, tmp_path)) as product,
        audience(product, 2, **chosen) as plain,
        audience(product, 1, encryption=ENCRYPTION, receive=secured, **chosen) as encrypted,
    ):
        viewers = plain + encrypted
        product.kill_web()
        product.tree = ROOT
        product.restart_web()
        for viewer in viewers:
            view = product.wait_for_phase(viewer.key, "delivering")
            assert (view["worker"]["pid"], view["name"]) == (viewer.worker_pid, viewer.view["name"])
            viewer.wait_for_more(1_000_000)
            # A rate needs two samples since the adoption, which may take longer than the bytes.
            has_rate = product.wait_for_stream(viewer.key, lambda seen: seen["peers"][0]["payload_mbps"] is not None)
            (peer,) = has_rate["peers"]
            assert peer["payload_mbps"] == pytest.approx(LIGHT_MBPS, rel=0.3)
            assert peer["negotiated_latency_ms"] == PATIENT_MS
            assert raw_values(product, viewer.key)["sockets"]
        verdicts = [viewer.verdict() for viewer in viewers]
        assert all(verdict.is_whole for verdict in verdicts), verdicts
        # It takes orders of this release too, and a restart brings this release's worker.
        product.post(f"/api/streams/{viewers[0].key}/stop")
        product.wait_for_phase(viewers[0].key, "stopped")
        assert not is_alive(viewers[0].worker_pid)
        product.post(f"/api/streams/{viewers[0].key}/start")
        product.wait_for_phase(viewers[0].key, "waiting")
