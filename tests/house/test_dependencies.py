"""The lock files hold what pyproject.toml asks for; after a change of a dependency, run `make lock`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def locked(name: str) -> dict[str, str]:
    """Return the versions in a lock file, by package without extras."""
    return dict(re.findall(r"^([\w.-]+)(?:\[\w+\])?==([\w.]+)", (ROOT / name).read_text(), re.MULTILINE))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("requirements.txt", PROJECT["dependencies"]),
        ("requirements-dev.txt", [*PROJECT["dependencies"], *EXTRAS["dev"]]),
        ("requirements-gi.txt", EXTRAS["gi"]),
    ],
)
def test_each_dependency_is_pinned_and_the_lock_file_agrees(name: str, wanted: list[str]) -> None:
    matches = [re.fullmatch(r"([\w.-]+)(?:\[\w+\])?==([\w.]+)", line.strip()) for line in wanted]
    pins = {found[1]: found[2] for found in matches if found}
    assert len(pins) == len(wanted), "a dependency without an exact version"
    lock = {package.lower(): version for package, version in locked(name).items()}
    assert {package: version for package, version in pins.items() if lock.get(package.lower()) != version} == {}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-gi.txt"])
def test_each_locked_package_has_hashes(name: str) -> None:
    entries = re.split(r"^(?=[\w.-]+(?:\[\w+\])?==)", (ROOT / name).read_text(), flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("script", ["scripts/setup.sh", "deploy/bundle.sh"])
def test_pip_installs_the_lock_without_resolving(script: str) -> None:
    """The resolver refuses the whole lock as soon as a package asked for as "name[extra]" has a newer release."""
    calls = [
        line
        for line in (ROOT / script).read_text().splitlines()
        if re.search(r"(pip install|download|wheel) .*(-r |--requirement )", line)
    ]
    assert calls
    assert all("--no-deps" in line for line in calls)
