"""A host with no internet, a name server that never answers, and none of the helping programs installed."""

from __future__ import annotations

import re
import select
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.instruments.own_mounts import IN_OWN_MOUNTS
from tests.instruments.product import SAMPLE_NAME, Product
from tests.instruments.waiting import wait_for

# glibc asks a name server for 5 s and then again (resolv.conf(5)): an answer in less did not wait for it.
NAME_SERVER_PATIENCE_S = 5
_SILENT = "127.0.0.77"
_RESOLV_CONF = Path("/etc/resolv.conf").resolve()
_MOUNT = shutil.which("mount")


@pytest.fixture(scope="module")
def silent() -> Iterator[socket.socket]:
    """A name server that takes questions and answers none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((_SILENT, 53))
        yield server


@pytest.fixture(scope="module")
def cut_off(silent: socket.socket, sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product where the only name server is silent and no program is on the PATH."""
    folder = tmp_path_factory.mktemp("cut-off")
    resolv_conf = folder / "resolv.conf"
    resolv_conf.write_text(f"nameserver {_SILENT}\n")
    with Product(sample, OFFLINE="0") as product:
        product.kill_web()
        product.environment["PATH"] = str(folder)
        product.within = [
            *IN_OWN_MOUNTS,
            "/bin/sh",
            "-c",
            f'{_MOUNT} --bind "$0" {_RESOLV_CONF} && exec "$@"',
            str(resolv_conf),
        ]
        product.restart_web()
        yield product


@pytest.mark.parametrize(
    "path", ["/", "/?view=wall", "/caller", "/network_test", "/events", f"/media_info/{SAMPLE_NAME}"]
)
def test_a_page_waits_for_no_name_server(cut_off: Product, path: str) -> None:
    answer = cut_off.get(path)

    assert answer.status == 200
    assert answer.took_s < NAME_SERVER_PATIENCE_S
    assert not re.findall(rb'(?:src|href)="(?:https?:)?//', answer.body)


@pytest.mark.parametrize("path", ["/api/dashboard?spark=1", "/api/system", "/api/network-tests", "/api/channels"])
def test_a_poll_waits_for_no_name_server(cut_off: Product, path: str) -> None:
    answer = cut_off.get(path)

    assert answer.status == 200
    assert answer.took_s < NAME_SERVER_PATIENCE_S


def test_the_dashboard_says_what_is_not_installed_and_what_that_costs(cut_off: Product) -> None:
    missing = " ".join(cut_off.get("/api/dashboard").document["system"]["missing"])

    for name in ("ping", "iperf3", "ffprobe or mediainfo"):
        assert f"{name} is not installed" in missing


def test_a_file_is_judged_and_only_its_codec_details_are_lacking(cut_off: Product) -> None:
    def state() -> dict[str, Any]:
        return dict(cut_off.get(f"/api/media/info?path={SAMPLE_NAME}").document["state"])

    wait_for(lambda: state()["phase"] not in ("waiting", "running"), deadline_s=60, what="the analysis", every_s=0.2)
    seen = state()
    assert seen["analysis"]["verdict"] == "good"
    assert seen["details"] is None
    assert "neither ffprobe nor mediainfo is installed" in seen["details_problem"]


def test_a_stream_goes_on_air_all_the_same(cut_off: Product) -> None:
    view = cut_off.start()

    assert view["phase"] in ("starting", "waiting")
    cut_off.dismiss(view["key"])


def test_a_network_test_says_which_programs_it_lacks(cut_off: Product) -> None:
    started = cut_off.post("/api/network-tests", {"mode": "manual", "host": "127.0.0.1", "duration_s": 1})
    address = f"/api/network-tests/{started.document['id']}"
    wait_for(lambda: cut_off.get(address).document["state"] != "running", deadline_s=30, what="the end of the test")
    test = cut_off.get(address).document

    output = " ".join([test["problem"] or "", *test["problems"], *test["notes"]])
    assert "ping is not installed" in output
    assert "iperf3 is not installed" in output


def test_a_caller_towards_a_name_is_answered_before_the_name_server_is_given_up(
    cut_off: Product, silent: socket.socket
) -> None:
    silent.setblocking(False)
    while select.select([silent], [], [], 0)[0]:
        silent.recv(2048)
    endpoint = {"mode": "caller", "host": "decoder.example.net", "port": 9000}
    answer = cut_off.post("/api/streams", cut_off.document(endpoint=endpoint))

    assert answer.took_s < NAME_SERVER_PATIENCE_S
    assert b"decoder\x07example\x03net" in silent.recv(2048), "the name server was asked, and so it stayed silent"
    cut_off.dismiss(answer.document["key"])
