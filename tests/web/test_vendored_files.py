"""What browsers load is what the manifests say, unchanged, with a licence each."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scripts.vendor_assets import FOLDERS, PROJECT, listed, sha256

STATIC = PROJECT / "app" / "static"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(PROJECT)))
def test_every_vendored_file_is_the_one_that_was_recorded(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    recorded = {file.path: file.record["sha256"] for file in listed(folder, manifest)}
    present = {path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json"}

    assert present == set(recorded)
    for path, sum_ in recorded.items():
        assert sha256(path.read_bytes()) == sum_, path


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(PROJECT)))
def test_every_vendored_package_has_version_and_licence(folder: Path) -> None:
    for entry in json.loads((folder / "manifest.json").read_text()).values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"])
        assert entry["licence"]


def test_what_pages_and_styles_refer_to_is_there() -> None:
    templates = [path.read_text() for path in (PROJECT / "app" / "templates").glob("*.html")]
    named = {name for text in templates for name in re.findall(r"filename='([^'~]+)'", text)}
    imported = {
        (path.parent / name).resolve()
        for path in (STATIC / "js").glob("*.js")
        for name in re.findall(r'from "(\./[^"]+)"', path.read_text())
    }
    fonts = {
        (path.parent / name).resolve()
        for path in (STATIC / "css").glob("*.css")
        for name in re.findall(r'url\("([^"]+)"\)', path.read_text())
    }

    missing = [name for name in named if not name.endswith("-") and not (STATIC / name).is_file()]
    assert missing == []
    assert [path for path in imported | fonts if not path.is_file()] == []
