"""Damaged transport stream files and hostile datagrams: refused or carried with a reason, never a crash."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.media.channels import ChannelList
from app.media.library import MediaLibrary
from tests.instruments.audience import audience
from tests.instruments.child import is_alive
from tests.instruments.damage import damaged, hostile_datagram
from tests.instruments.durations import seconds
from tests.instruments.product import Product
from tests.instruments.waiting import wait_for

FILES = seconds(6, long=50)
DATAGRAMS = seconds(4000, long=200_000)
EXAMPLES = seconds(150, long=5000)


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(seed=st.integers(0, 1 << 32), size=st.sampled_from([0, 1, 187, 188, 189, 2000, 100_000, 1_000_000]))
def test_a_damaged_file_is_judged_or_refused(
    light_sample: Path, tmp_path_factory: pytest.TempPathFactory, seed: int, size: int
) -> None:
    chance = random.Random(seed)
    folder = tmp_path_factory.getbasetemp() / "damaged"
    folder.mkdir(exist_ok=True)
    data = light_sample.read_bytes()[:1_500_000]
    (folder / "x.ts").write_bytes(damaged(data, chance)[:size] if chance.random() < 0.9 else chance.randbytes(size))
    library = MediaLibrary(folder)
    with contextlib.suppress(InvalidInput):
        check = library.check("x.ts")
        assert check.bitrate_bps is None or check.bitrate_bps > 0
    assert [file.name for file in library.list().files] == ["x.ts"]


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(data=st.data())
def test_a_channel_file_may_hold_anything(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / "channels.json"
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
        max_leaves=12,
    )
    fields = st.sampled_from(["name", "address", "port", "protocol", "source_ip", "other"])
    channels = st.lists(st.dictionaries(fields, values, max_size=6) | values, max_size=5)
    text = data.draw(st.binary(max_size=200) | channels.map(lambda made: json.dumps(made).encode()))
    path.write_bytes(text)
    listed = ChannelList(path).read()
    assert all(1 <= channel.port <= 65535 for channel in listed.channels)


def test_damaged_files_on_air_end_with_a_reason_or_go_on_and_no_other_stream_notices(own: Product) -> None:
    chance = random.Random(188)
    data = (own.media / "bars.ts").read_bytes()[:2_000_000]
    with audience(own, 1) as (viewer,):
        taken = 0
        for number in range(FILES):
            name = f"damaged-{number}.ts"
            (own.media / name).write_bytes(damaged(data, chance))
            answer = own.post("/api/streams", own.document(source={"kind": "file", "path": name, "loop": True}))
            assert answer.status in (201, 400, 422), answer.document
            if answer.status == 201:
                taken += 1
                key = answer.document["key"]
                viewer.wait_for_more(1_000_000)
                view = own.stream(key)
                assert view["reason"] not in ("worker_crashed", "worker_hung", "out_of_memory"), view
                assert own.get(f"/api/media/check?path={name}").status == 200
                own.dismiss(key)
        assert taken, "some damage is bearable"
        assert own.stream(viewer.key)["worker"]["pid"] == viewer.worker_pid
        assert viewer.verdict().is_whole
    assert own.log_file.read_text().count("request failed") == 0


def test_hostile_datagrams_at_a_listener_harm_neither_it_nor_its_receiver(own: Product) -> None:
    chance = random.Random(1316)
    with audience(own, 2) as (viewer, other):
        port = viewer.view["spec"]["endpoint"]["port"]
        log = own.folder / "runtime" / f"{viewer.key}.log"
        before_mb = memory_mb(viewer.worker_pid)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attacker:
            attacker.setblocking(False)
            for number in range(DATAGRAMS):
                send(attacker, hostile_datagram(chance), port)
                if number % 20 == 0:
                    time.sleep(0.005)  # some 4000 a second: hostile, and no test of the machine's own limits
        viewer.wait_for_more()
        assert is_alive(viewer.worker_pid)
        assert memory_mb(viewer.worker_pid) < before_mb + 20
        assert log.stat().st_size < 1_000_000
        wait_for(lambda: own.stream(viewer.key)["phase"] == "delivering", deadline_s=5, what="a stream still delivered")
        assert own.stream(viewer.key)["restarts"] == 0
        for each in (viewer, other):
            assert each.verdict().is_whole


def send(attacker: socket.socket, datagram: bytes, port: int) -> None:
    try:
        attacker.sendto(datagram, ("127.0.0.1", port))
    except BlockingIOError:
        time.sleep(0.01)


def memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024
