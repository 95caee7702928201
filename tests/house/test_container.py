"""The files for a container: the same set-up as run.sh, the host's network, settings that exist, and no secret."""

from __future__ import annotations

import re
import subprocess
from dataclasses import fields
from pathlib import Path

import yaml

from app.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SETTINGS = {each.name.upper() for each in fields(Settings)}


def test_the_image_is_set_up_by_the_script_that_every_installation_uses() -> None:
    assert re.findall(r"^FROM (\S+)$", DOCKERFILE, re.MULTILINE) == ["debian:12-slim"]
    assert ". scripts/setup.sh; set_up run" in DOCKERFILE
    assert "set_up() {" in (ROOT / "scripts" / "setup.sh").read_text()
    assert not re.search(r"apt-get install|pip install", DOCKERFILE), "packages are listed in scripts/packages.sh alone"
    assert 'CMD ["./run.sh"]' in DOCKERFILE


def test_the_program_does_not_run_as_root_and_no_secret_is_in_the_image() -> None:
    assert DOCKERFILE.index("USER mcr-srt") < DOCKERFILE.index("CMD")
    (line,) = re.findall(r"^ENV (.+)$", DOCKERFILE, re.MULTILINE)
    named = {part.partition("=")[0] for part in line.split()}
    assert named <= SETTINGS
    assert not named & {"SECRET_KEY", "API_KEY", "DATABASE_URL"}


def test_what_the_program_wrote_here_does_not_go_into_the_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".venv", "media/*", "app/data/*"} <= set(ignored)
    listing = ["git", "ls-files", "app/data"]
    kept = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert {name.removeprefix("!") for name in ignored if name.startswith("!")} == set(kept)


def test_compose_uses_the_hosts_network_and_keeps_data_and_media_outside() -> None:
    (service,) = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"].values()
    assert service["network_mode"] == "host"
    assert "ports" not in service
    assert set(service["environment"]) <= SETTINGS
    assert [volume.rpartition(":")[2] for volume in service["volumes"]] == ["/data", "/media"]
