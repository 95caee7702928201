"""A configuration file against the running program, by `mcr`: on a fresh host, applied twice, and with one change."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.instruments.product import SAMPLE_NAME, Product
from tests.system.test_cli import mcr

SECRET = "correct horse battery"


def file_of(product: Product) -> dict[str, object]:
    ports = list(product.listener_ports)
    streams = [
        {
            "name": f"Studio {at}",
            "endpoint": {"mode": "listener", "port": port},
            "source": {"kind": "file", "path": SAMPLE_NAME},
            "latency_ms": 200,
        }
        for at, port in enumerate(ports[:3])
    ]
    streams[0]["encryption"] = {"key_bits": 256, "passphrase": {"env": "STUDIO_0"}}
    streams[2]["on_air"] = False
    return {"version": 1, "streams": streams}


def test_a_fresh_host_with_the_file_is_on_air_and_only_a_changed_stream_restarts(
    light_sample: Path, tmp_path: Path
) -> None:
    path, exported = tmp_path / "streams.yaml", tmp_path / "exported.yaml"
    with Product(light_sample) as product:
        document = file_of(product)
        path.write_text(yaml.safe_dump(document))
        compared = mcr(product, "apply", "-f", str(path), "--dry-run", STUDIO_0=SECRET).stdout
        assert product.streams() == []
        applied = mcr(product, "apply", "-f", str(path), STUDIO_0=SECRET).stdout
        assert compared == applied
        assert SECRET not in applied
        views = {view["name"]: view for view in product.streams()}
        assert [views[f"Studio {at}"]["phase"] for at in range(3)] == ["waiting", "waiting", "stopped"]
        pids = {name: view["worker"]["pid"] for name, view in views.items() if view["worker"]}
        # The passphrase is not set now: the stream keeps the one that it has.
        assert "Nothing to change" in mcr(product, "apply", "-f", str(path)).stdout
        document["streams"][1]["latency_ms"] = 250  # type: ignore[index]
        path.write_text(yaml.safe_dump(document))
        assert "latency_ms: 200 → 250" in mcr(product, "apply", "-f", str(path)).stdout
        after = {view["name"]: view for view in product.streams()}
        assert after["Studio 0"]["worker"]["pid"] == pids["Studio 0"]
        assert after["Studio 1"]["worker"]["pid"] != pids["Studio 1"]
        assert after["Studio 1"]["spec"]["latency_ms"] == 250
        mcr(product, "export", "-o", str(exported))
        assert SECRET not in exported.read_text()
        product.dismiss_all()
        mcr(product, "apply", "-f", str(exported), PASSPHRASE_STUDIO_0=SECRET)
        assert {view["name"]: view["spec"] for view in product.streams()} == {
            name: view["spec"] for name, view in after.items()
        }
