"""`mcr` against the running program, as an operator types it."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.instruments.product import SAMPLE_NAME, Product
from tests.instruments.receivers import Receiver

ROOT = Path(__file__).parents[2]
PASSPHRASE = "correct horse battery"


def mcr(
    product: Product, *arguments: str, stdin: str = "", status: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        cwd=ROOT,
        env={**product.environment, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done


@pytest.fixture(scope="module")
def own_product(sample: Path) -> Iterator[Product]:
    """A product that these tests may stop and wipe."""
    with Product(sample) as running:
        yield running


def test_a_stream_is_started_listed_received_and_stopped(product: Product) -> None:
    port = product.free_listener_port()
    key = mcr(product, "start", "--listener", str(port), "--file", SAMPLE_NAME, "--name", "Line-up").stdout.split()[0]
    with Receiver.calling(port) as receiver:
        receiver.wait_for_bytes(500_000)
        product.wait_for_phase(key, "delivering")
        (row,) = [line for line in mcr(product, "streams").stdout.splitlines() if line.startswith(key)]
        assert "delivering" in row
        assert row.endswith("Line-up")
    assert "stopped" in mcr(product, "stop", key).stdout
    assert product.stream(key)["phase"] == "stopped"
    assert key in mcr(product, "start", key).stdout
    assert key in mcr(product, "stop", "--all").stdout
    assert key in mcr(product, "start", "--all").stdout
    mcr(product, "stop", "--forget", key)
    assert mcr(product, "streams").stdout == "no streams\n"


def test_a_passphrase_comes_from_standard_input_and_reaches_the_wire(product: Product) -> None:
    port = product.free_listener_port()
    arguments = ("start", "--listener", str(port), "--bars", "720p50", "--encrypt", "256")
    mcr(product, *arguments, stdin=f"{PASSPHRASE}\n")
    with Receiver.calling(port, passphrase=PASSPHRASE, key_bytes=32) as receiver:
        assert receiver.wait_for_bytes(200_000).key_bytes == 32


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (("start", "--listener", "1", "--file", SAMPLE_NAME), "Port: "),
        (("start", "--listener", "10001", "--file", "nothing.ts"), "File: "),
        (("stop", "nosuch"), "Error"),
    ],
)
def test_what_the_server_refuses_is_said_with_its_field(
    arguments: tuple[str, ...], output: str, product: Product
) -> None:
    if "10001" in arguments:
        arguments = tuple(str(product.free_listener_port()) if part == "10001" else part for part in arguments)
    assert output in mcr(product, *arguments, status=1).stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("start",),
        ("start", "--listener", "10001"),
        ("start", "--listener", "10001", "--caller", "host:1", "--bars", "720p50"),
        ("start", "--caller", "host", "--bars", "720p50"),
    ],
)
def test_options_that_name_no_stream_are_a_usage_error(arguments: tuple[str, ...], product: Product) -> None:
    assert "Usage" in mcr(product, *arguments, status=2).stderr


def test_a_wrong_key_says_what_to_set(product: Product) -> None:
    assert "API_KEY" in mcr(product, "streams", status=1, API_KEY="wrong").stderr


def test_a_server_that_is_not_there_is_named(product: Product) -> None:
    assert "http://127.0.0.1:9" in mcr(product, "streams", status=1, PORT="9").stderr


def test_presets_are_exported_imported_and_listed_and_survive_the_web_process(
    own_product: Product, tmp_path: Path
) -> None:
    product, file = own_product, tmp_path / "presets.json"
    spec = product.document(latency_ms=350, endpoint={"mode": "caller", "host": "192.0.2.10", "port": 9000})
    assert product.post("/api/presets", {"name": "Saturday", "spec": spec}).status == 201
    assert product.post("/api/far-ends", {"name": "Umeå", "host": "2001:db8::1", "port": 9000}).status == 201
    mcr(product, "presets", "export", str(file))
    for path, part in (("/api/presets", "presets"), ("/api/far-ends", "far_ends")):
        for entry in product.get(path).document[part]:
            assert product.delete(f"{path}/{entry['key']}").status == 204
    assert mcr(product, "presets", "list").stdout == "no presets and no far ends\n"
    assert mcr(product, "presets", "import", str(file)).stdout == "imported: 1 preset, 1 far end\n"
    product.kill_web()
    product.restart_web()
    listed = mcr(product, "presets", "list").stdout
    assert f"preset   Saturday  {SAMPLE_NAME} → caller to 192.0.2.10 port 9000 · not encrypted · 350 ms" in listed
    assert "far end  Umeå  [2001:db8::1]:9000" in listed


def test_an_import_that_is_refused_says_which_entry_and_why(product: Product) -> None:
    wrong = '{"format": "mcr-presets", "version": 1, "far_ends": [{"name": "a", "host": "b", "port": 0}]}'
    refused = mcr(product, "presets", "import", "-", stdin=wrong, status=1)
    assert refused.stderr == "refused: far end 1 a\n  port: 0 is outside 1 to 65535\n"
    assert "import a file that was exported here" in mcr(product, "presets", "import", stdin="x", status=1).stderr
    assert "Format: this is not an export" in mcr(product, "presets", "import", stdin="{}", status=1).stderr


def test_backup_wipe_and_restore_bring_the_same_streams_on_air(own_product: Product, tmp_path: Path) -> None:
    product, archive = own_product, tmp_path / "backup.tar.gz"
    plain = product.start(name="plain")
    secret = product.start(name="secret", encryption={"key_bits": 128, "passphrase": PASSPHRASE})
    stopped = product.start(name="stopped")
    product.post(f"/api/streams/{stopped['key']}/stop")
    assert product.post("/api/far-ends", {"name": "Backed up", "host": "a", "port": 9000}).status == 201
    book = product.get("/api/presets/export").document
    mcr(product, "backup", str(archive))
    assert archive.stat().st_mode & 0o777 == 0o600
    refused = mcr(product, "restore", str(archive), status=1)
    assert "stop the server" in refused.stderr

    product.web.close(deadline_s=20)
    data = product.folder / "data"
    shutil.rmtree(data)
    data.mkdir()
    mcr(product, "restore", str(archive))
    product.restart_web()

    assert product.get("/api/presets/export").document == book
    views = {view["key"]: view for view in product.streams()}
    assert {key: view["name"] for key, view in views.items()} == {
        plain["key"]: "plain",
        secret["key"]: "secret",
        stopped["key"]: "stopped",
    }
    assert views[stopped["key"]]["phase"] == "stopped"
    for key in (plain["key"], secret["key"]):
        product.wait_for_phase(key, "waiting", "delivering")
    with Receiver.calling(secret["spec"]["endpoint"]["port"], passphrase=PASSPHRASE, key_bytes=16) as receiver:
        receiver.wait_for_bytes(200_000)


def test_a_restore_under_another_secret_key_says_so(own_product: Product, tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar.gz"
    mcr(own_product, "backup", str(archive))
    elsewhere = {"DATA_FOLDER": str(tmp_path / "data"), "PORT": "9", "SECRET_KEY": "another key, as long as is needed"}
    assert "another SECRET_KEY" in mcr(own_product, "restore", str(archive), status=0, stdin="", **elsewhere).stderr


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "folder/file", ".hidden"])
def test_an_archive_with_a_foreign_path_is_refused_whole(name: str, product: Product, tmp_path: Path) -> None:
    archive, data = tmp_path / "evil.tar.gz", tmp_path / "data"
    content = tmp_path / "content"
    content.write_text("x")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(content, arcname="store.sqlite3")
        tar.addfile(tarfile.TarInfo(name))
    output = mcr(product, "restore", str(archive), status=1, DATA_FOLDER=str(data), PORT="9").stderr
    assert "not belong to a backup" in output
    assert not data.exists()


def test_what_is_no_archive_is_refused(product: Product, tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar.gz"
    archive.write_bytes(b"this is no archive")
    assert "not a .tar.gz" in mcr(product, "restore", str(archive), status=1, PORT="9").stderr


def test_check_finds_a_sound_installation_sound_and_names_what_is_not(product: Product) -> None:
    done = mcr(product, "check")
    assert "FAULT" not in done.stdout
    assert f"server at http://127.0.0.1:{product.port}" in done.stdout
    assert "GStreamer has every element" in done.stdout


def test_check_names_exposed_secrets_and_a_missing_media_folder(product: Product, tmp_path: Path) -> None:
    data, runtime = tmp_path / "data", tmp_path / "runtime"
    data.mkdir()
    runtime.mkdir()
    runtime.chmod(0o755)
    (data / "secret_key").write_text("x" * 32)
    (data / "secret_key").chmod(0o644)
    folders = {"DATA_FOLDER": data, "RUNTIME_FOLDER": runtime, "MEDIA_FOLDER": tmp_path / "gone"}
    output = mcr(product, "check", status=1, **{name: str(path) for name, path in folders.items()}).stdout
    assert f"chmod 600 {data / 'secret_key'}" in output
    assert f"chmod 700 {runtime}" in output
    assert f"{tmp_path / 'gone'} does not exist" in output


def test_check_names_a_listener_port_that_another_program_has(product: Product) -> None:
    on_air = product.start()["spec"]["endpoint"]["port"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        foreign = product.free_listener_port()
        other.bind(("127.0.0.1", foreign))
        output = mcr(product, "check").stdout
    assert f"listener port {foreign} (UDP) is used" in output
    assert f"listener port {on_air} " not in output


def test_check_asks_what_the_user_of_the_service_may_even_when_root_asks(product: Product, tmp_path: Path) -> None:
    user = pwd.getpwuid(os.geteuid()).pw_name
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(0o755)
    data, media = tmp_path / "data", tmp_path / "media"
    data.mkdir()
    (data / "restored.json").touch(mode=0o000)
    if user == "root":
        user = "nobody"
        shutil.chown(data, user)
    media.mkdir(mode=0o000)
    output = mcr(product, "check", status=1, DATA_FOLDER=str(data), MEDIA_FOLDER=str(media)).stdout
    assert f"the media folder {media} cannot be read by {user}" in output
    assert f"chown {user} {data / 'restored.json'}" in output
