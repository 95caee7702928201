"""Nothing in the repository is a secret, a binary or a real address."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_SECRET_LIKE = {
    "a private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a cloud key": re.compile(rb"\bAKIA[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(rb"\bgh[pousr]_[A-Za-z0-9]{36}\b"),
    "a key that was set": re.compile(rb"(?im)^\s*(?:export\s+)?(?:SECRET_KEY|API_KEY)\s*=\s*['\"]?[0-9a-f]{32,}"),
    "a password in an address": re.compile(
        rb"\b[a-z]+://[^\s/:@<>{}$]+:[^\s/:@<>{}$]{6,}@(?!localhost|127\.|db\b|host\b)"
    ),
}
_BINARIES_MAX_BYTES = 1_500_000


def committed() -> list[Path]:
    """Return every file of the repository, or of an unpacked archive without its environment."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, timeout=30, check=True)
        names = listed.stdout.decode().split("\0")
        return [path for name in names if name and (path := ROOT / name).is_file()]
    made_here = {".venv", "node_modules", "__pycache__", "media", "data"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not made_here & set(path.relative_to(ROOT).parts)]


@pytest.mark.parametrize("what", _SECRET_LIKE)
def test_no_file_holds_a_secret(what: str) -> None:
    mine = Path(__file__)
    holders = [path for path in committed() if path != mine and _SECRET_LIKE[what].search(path.read_bytes())]
    assert not holders


def test_no_media_capture_or_database_is_in_the_repository() -> None:
    wrong = {".ts", ".pcap", ".pcapng", ".sqlite3", ".db", ".log", ".pyc", ".mp4"}
    assert not [path for path in committed() if path.suffix in wrong]


def test_no_file_is_a_large_binary() -> None:
    assert not [path for path in committed() if path.stat().st_size > _BINARIES_MAX_BYTES]


def test_scripts_can_be_run() -> None:
    unrunnable = [path for path in committed() if path.suffix == ".sh" and not path.read_bytes().startswith(b"#!")]
    assert not [path for path in unrunnable if path.parent.name != "scripts"]
