"""The store is a PostgreSQL server, which goes away: streams stay on air, pages are instant, orders are not lost."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from tests.instruments.audience import Viewer, audience
from tests.instruments.child import Child
from tests.instruments.postgres import Postgres
from tests.instruments.product import Product
from tests.instruments.waiting import free_port, wait_for
from tests.system.test_cli import mcr
from tests.system.test_secrets import answers, files, processes

PAGES = ["/", "/caller", "/network_test", "/events", "/api/dashboard", "/api/events", "/health", "/metrics"]
PATIENCE_S = 1.5  # of a person who opens a page, on a machine that does much else


@pytest.fixture
def server() -> Iterator[Postgres]:
    with Postgres() as made:
        yield made


@pytest.fixture
def on_server(server: Postgres, light_sample: Path) -> Iterator[Product]:
    """A product whose store is the server."""
    with Product(light_sample, DATABASE_URL=server.new_database()) as product:
        yield product


def recorded(product: Product) -> dict[str, str]:
    """Return the orders in the database."""
    with psycopg.connect(product.environment["DATABASE_URL"]) as connection:
        return dict(connection.execute("SELECT key, stream_order FROM streams").fetchall())


def is_as_before(product: Product, viewer: Viewer) -> bool:
    view = product.stream(viewer.key)
    return bool(view["phase"] == "delivering" and view["worker"]["pid"] == viewer.worker_pid)


def is_said(product: Product) -> bool:
    """Whether health and page say that orders cannot be kept."""
    health = product.get("/health")
    warnings = product.get("/api/dashboard").document["system"]["warnings"]
    return health.document["parts"]["store"] == "fault" and any("accepts no orders" in text for text in warnings)


def assert_pages_are_instant(product: Product) -> None:
    seen = {path: product.get(path) for path in PAGES}
    assert {answer.status for path, answer in seen.items() if path != "/health"} == {200}
    assert {path: answer.took_s for path, answer in seen.items() if answer.took_s > PATIENCE_S} == {}


def test_streams_in_postgresql_outlive_a_crash_of_the_web_process_with_order_secret_and_events(
    on_server: Product,
) -> None:
    encryption = {"key_bits": 256, "passphrase": "kept in PostgreSQL"}
    stopped = on_server.start(name="stopped", encryption=encryption)
    assert on_server.post(f"/api/streams/{stopped['key']}/stop").status == 200
    with audience(on_server, 2) as viewers:
        on_server.kill_web()
        viewers[0].wait_for_more()
        on_server.restart_web()
        for viewer in viewers:
            wait_for(partial(is_as_before, on_server, viewer), deadline_s=10, what="the stream adopted")
        assert on_server.stream(stopped["key"])["order"] == "stop"
        events = on_server.get(f"/api/events?key={stopped['key']}").document["events"]
        assert {"start requested", "stop requested"} <= {event["text"] for event in events}
        assert all(viewer.verdict().is_whole for viewer in viewers)
    assert on_server.post(f"/api/streams/{stopped['key']}/start").status == 200
    on_server.wait_for_phase(stopped["key"], "waiting")


def test_a_server_that_is_stopped_costs_no_stream_no_page_and_no_order(server: Postgres, on_server: Product) -> None:
    with audience(on_server, 2) as (viewer, stopped):
        server.stop()
        wait_for(lambda: is_said(on_server), deadline_s=15, what="the problem said")
        meanwhile = on_server.start(name="ordered meanwhile")
        assert on_server.post(f"/api/streams/{stopped.key}/stop").status == 200
        assert_pages_are_instant(on_server)
        viewer.wait_for_more()

        on_server.kill_web()  # without its store it cannot start; what is on air stays there
        with Child([sys.executable, "wsgi.py"], env=on_server.environment) as unlucky:
            assert unlucky.wait(deadline_s=20) == os.EX_UNAVAILABLE
            assert "the database cannot be opened" in unlucky.complaints()
            assert server.password not in unlucky.complaints()
        viewer.wait_for_more()

        server.start()
        on_server.restart_web()
        expected = {viewer.key: "run", stopped.key: "stop", meanwhile["key"]: "run"}
        wait_for(lambda: recorded(on_server) == expected, deadline_s=15, what="the orders of meanwhile recorded")
        wait_for(lambda: on_server.get("/health").status == 200, deadline_s=15, what="all well again")
        assert is_as_before(on_server, viewer)
        assert on_server.stream(meanwhile["key"])["worker"]["pid"] == meanwhile["worker"]["pid"]
        assert viewer.verdict().is_whole


def test_a_server_that_comes_back_is_written_to_without_a_restart(server: Postgres, on_server: Product) -> None:
    kept = on_server.start()
    server.stop()
    later = on_server.start()
    wait_for(lambda: is_said(on_server), deadline_s=15, what="the problem said")
    server.start()
    wait_for(lambda: on_server.get("/health").status == 200, deadline_s=15, what="all well again")
    assert recorded(on_server) == {kept["key"]: "run", later["key"]: "run"}
    on_server.dismiss_all()
    assert recorded(on_server) == {}


def test_a_server_that_hangs_holds_no_page_and_no_order_up(server: Postgres, on_server: Product) -> None:
    with audience(on_server, 1) as (viewer,):
        with server.frozen():
            orders = [on_server.post("/api/streams", on_server.document()) for _ in range(9)]  # more than threads
            assert {answer.status for answer in orders} == {201}
            assert_pages_are_instant(on_server)
            wait_for(lambda: is_said(on_server), deadline_s=20, what="the problem said")
            assert_pages_are_instant(on_server)
            viewer.wait_for_more()
        keys = {viewer.key, *(answer.document["key"] for answer in orders)}
        wait_for(lambda: recorded(on_server) == dict.fromkeys(keys, "run"), deadline_s=15, what="all orders recorded")
        wait_for(lambda: on_server.get("/health").status == 200, deadline_s=15, what="all well again")
        assert is_as_before(on_server, viewer)
        assert viewer.verdict().is_whole


def test_the_password_of_the_database_can_be_found_nowhere(server: Postgres, on_server: Product) -> None:
    view = on_server.start()
    server.stop()
    wait_for(lambda: is_said(on_server), deadline_s=15, what="the problem said")
    unlucky = [
        on_server.environment
        | {
            "DATABASE_URL": url,
            "RUNTIME_FOLDER": str(on_server.folder / "elsewhere"),
            "DATA_FOLDER": str(on_server.folder / "other data"),
        }
        for url in (
            on_server.environment["DATABASE_URL"],
            f"postgresql://srt:{server.password}/with?odd#signs@127.0.0.1/store",
            f"postgresql://srt:{server.password}@127.0.0.1:port/store",
            f"mysql://srt:{server.password}@127.0.0.1/store",
        )
    ]
    complaints = []
    for environment in unlucky:
        with Child([sys.executable, "wsgi.py"], env=environment) as child:
            assert child.wait(deadline_s=20) in (os.EX_UNAVAILABLE, os.EX_CONFIG)
            complaints.append(("a start that failed", (child.complaints() + child.output()).encode()))
    assert all(b"DATABASE_URL" in text for _, text in complaints)
    assert not [text for _, text in complaints if b"Traceback" in text]
    web = f"/proc/{on_server.web.pid}/"
    seen = [
        *complaints,
        *answers(on_server, [view["key"]]),
        *files(on_server.folder),
        *((where, data) for where, data in processes() if where != f"{web}environ"),
        ("standard error", on_server.web.complaints().encode()),
        ("standard output", on_server.web.output().encode()),
    ]
    assert any(where == f"/proc/{view['worker']['pid']}/environ" for where, _ in seen)
    assert [where for where, data in seen if server.password.encode() in data] == []


def test_a_backup_says_what_is_not_in_it_and_how_to_save_that(
    server: Postgres, on_server: Product, tmp_path: Path
) -> None:
    archive = tmp_path / "backup.tar.gz"
    output = mcr(on_server, "backup", str(archive))
    assert "secret_key" in output.stdout
    assert "store.sqlite3" not in output.stdout
    assert "NOT in it" in output.stderr
    assert "pg_dump" in output.stderr
    assert server.password not in output.stdout + output.stderr
    on_server.web.close(deadline_s=20)
    assert "restored" in mcr(on_server, "restore", str(archive)).stdout
    assert "DATABASE_URL" in mcr(on_server, "restore", str(archive), status=1, DATABASE_URL="").stderr
    url = on_server.environment.pop("DATABASE_URL")
    on_server.restart_web()
    mcr(on_server, "backup", str(archive))
    on_server.web.close(deadline_s=20)
    on_server.environment["DATABASE_URL"] = url
    assert "SQLite" in mcr(on_server, "restore", str(archive), status=1).stderr


def test_a_second_web_process_on_the_same_database_is_refused_though_its_folders_are_others(
    on_server: Product, tmp_path: Path
) -> None:
    with audience(on_server, 1) as (viewer,):
        others = {"PORT": str(free_port()), "LOG_FILE": str(tmp_path / "second.log")}
        for name in ("DATA_FOLDER", "RUNTIME_FOLDER"):
            (tmp_path / name).mkdir(mode=0o700)
            others[name] = str(tmp_path / name)
        with Child([sys.executable, "wsgi.py"], env=on_server.environment | others) as second:
            assert second.wait(deadline_s=40) == os.EX_UNAVAILABLE
            assert "another web process uses it" in second.complaints()
        assert is_as_before(on_server, viewer)
        assert viewer.verdict().is_whole
