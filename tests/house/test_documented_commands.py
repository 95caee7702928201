"""Every command in a code block of the documents exists, takes these arguments and names files that are there.

What these tests cannot run on this machine, scripts/check_install.sh runs: it takes the commands of
docs/installation.md for NGINX and HTTPS from the page itself.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from app.cli.commands import cli
from tests.conftest import LONGEST, TIERS

ROOT = Path(__file__).parents[2]
# Programs of the system that the documents use, in addition to our own.
SYSTEM = {
    *("git", "cd", "curl", "ffplay", "apt-get", "dnf", "setsebool", "sha256sum", "tar", "printf", "tee", "chown"),
    *("chmod", "rm", "ln", "nginx", "systemctl", "openssl", "journalctl", "cp", "."),
}
# What install.sh or the operator makes, and our files that are read where the program is installed.
INSTALLED = re.compile(r"/opt/mcr-srt-streamer/current/(\S+)")
UNITS = {path.stem for path in (ROOT / "deploy").glob("*.service")}


class Command(NamedTuple):
    """One command of a document."""

    page: str
    words: list[str]


def documents() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if "vendor" not in name]


def lines_of_code(text: str) -> list[str]:
    """Return the shell lines of a document: blocks that are marked as shell, and indented lines outside of blocks."""
    blocks = re.findall(r"^```(?:bash|sh|shell)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    outside = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    indented = re.findall(r"(?<=\n\n)((?: {4}\S.*\n)+)", outside)
    return [line.strip() for block in [*blocks, *indented] for line in block.splitlines() if line.strip()]


def commands() -> list[Command]:
    """Return each command without sudo, leading variables and trailing comments."""
    found = []
    for path in documents():
        for line in lines_of_code(path.read_text()):
            for part in re.split(r" && | \| ", line):
                words = shlex.split(re.sub(r"\s>\s?/dev/null", "", part), comments=True)
                while words and (words[0] == "sudo" or re.match(r"[A-Z_]+=", words[0])):
                    words = words[1:]
                found += [Command(path.name, words)] if words else []
    return found


COMMANDS = commands()


def ids(command: Command) -> str:
    return f"{command.page}: {' '.join(command.words)[:50]}"


def test_the_commands_are_found() -> None:
    found = {" ".join(command.words) for command in COMMANDS}
    assert {"deploy/install.sh uninstall --purge", "./run.sh --demo", "mcr backup /root/mcr-backup.tar.gz"} <= found
    assert "./install-offline.sh" in found
    assert len(found) >= 30


@pytest.mark.parametrize("command", COMMANDS, ids=ids)
def test_a_documented_command_can_be_given(command: Command, tmp_path: Path) -> None:
    name, *arguments = command.words
    if name == "mcr":
        archive = tmp_path / "archive"
        archive.touch()
        arguments = [str(archive) if word.startswith("/") else word for word in arguments]
        made = cli.commands[arguments[0]]
        made.make_context(arguments[0], arguments[1:], parent=click.Context(cli))
    elif name.endswith(".sh"):
        script = ROOT / "deploy" / name if name == "./install-offline.sh" else ROOT / name
        asked = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
        known = set(re.findall(r"(?<![\w-])(--[a-z]+|uninstall|packages)\b", asked.stdout))
        given = {word.partition("=")[0] for word in arguments if word.startswith("--") or word in known}
        assert given <= known
    elif name == ".venv/bin/python":
        assert arguments[:2] == ["-m", "pytest"]
        assert all((ROOT / word).exists() for word in arguments[2:] if not word.startswith("-"))
    else:
        assert name in SYSTEM
    for inside in INSTALLED.findall(" ".join(arguments)):
        assert (ROOT / inside).exists(), inside
    if name == "systemctl":
        assert arguments[0] in ("start", "stop", "restart", "reload", "status", "enable")
        assert {unit for unit in arguments[1:] if not unit.startswith("-")} <= UNITS | {"nginx"}


def inline_code() -> list[tuple[str, str]]:
    found = []
    for path in documents():
        outside = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
        found += [(path.name, code) for code in re.findall(r"`([^`\n]+)`", outside)]
    return found


def test_every_order_to_systemd_in_a_sentence_names_a_unit_of_ours() -> None:
    orders = [code.split() for _, code in inline_code() if re.match(r"(?:sudo )?(?:systemctl|journalctl) ", code)]
    assert len(orders) >= 5
    for words in orders:
        units = [word for word in words if word.startswith(("mcr", "network"))]
        assert {unit.removesuffix(".service") for unit in units} <= UNITS, words


def test_every_script_in_a_sentence_knows_its_options() -> None:
    checked = 0
    for page, code in inline_code():
        name, *arguments = code.removeprefix("sudo ").split()
        script = ROOT / ("deploy" if "install-offline" in name else "") / name
        if not name.endswith(".sh") or not arguments:
            continue
        asked = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
        options = {word.partition("=")[0] for word in arguments if word.startswith("--")}
        assert all(option in asked.stdout for option in options), (page, code)
        checked += 1
    assert checked >= 3


def test_the_programs_of_the_shell_that_the_documents_use_are_known_by_their_right_names() -> None:
    """A slip such as `apt-gte` is in no list: neither installed here, nor on RHEL or on an operator's machine."""
    elsewhere = {"dnf", "setsebool", "ffplay", "curl", "cd", "."}
    missing = {name for name in SYSTEM - elsewhere if not shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")}
    assert not missing


def test_a_plain_run_of_the_tests_misses_no_folder_and_begins_with_files_that_exist() -> None:
    script = (ROOT / "test.sh").read_text()
    named = set(re.findall(r"tests/(\w+)", script))
    assert set(TIERS) - named == set()
    assert [file for file in LONGEST if not (ROOT / "tests" / file).exists()] == []
