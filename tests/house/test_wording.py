"""The words of the product: plain, standard terms in code, comments, pages and documents."""

from __future__ import annotations

import functools
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Each word that is not used, with what to write in its place. Whole words, in any case, also as parts of a name.
REPLACED = {
    r"tell|tells|telling|told": "report, notify, return whether",
    r"anew": "again",
    r"mend|mends|mending|mended": "fix, correct, the remedy",
    r"beside": "next to, in addition to",
    r"whoever": "the caller, the operator",
    r"reckon|reckons|reckoned|reckoning": "assume, compute",
    r"nobody|somebody": "no one, or the name of the component",
    r"of (?:its|their|our) own": "own, separate",
    r"by hand": "manually, or the name of the step",
    r"turned away": "refused",
    r"looked at": "checked, read",
    r"wants? to be": "needs",
    r"taken for": "read as, mistaken for",
    r"all the same": "nevertheless",
}
# A field of the public API, the names of tests, the system's user, and a method of every file.
KEPT = re.compile(r"\bnobody_text\b|\btest_\w+|[\"`]nobody[\"`]|\bnobody\.|\bnobody = |\.tell\(\)")
READ = ["app", "benchmarks", "deploy", "docs", "scripts", "tests", "*.md", "*.sh", "mcr", "wsgi.py", ".github"]
SUFFIXES = {".py", ".md", ".sh", ".html", ".js", ".css", ".service", ".conf", ".yml", ".json", ""}


@functools.cache
def texts() -> dict[str, str]:
    """Return the texts that a person reads, by path, without allowed words; no data, no third-party files."""
    listed = subprocess.run(["git", "ls-files", *READ], cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in listed.stdout.splitlines() if Path(name).suffix in SUFFIXES]
    others = ("app/data/", "tests/house/test_wor")  # data, and the lists of these words themselves
    read = [name for name in names if "/vendor/" not in name and not name.startswith(others)]
    return {name: KEPT.sub("", (ROOT / name).read_text()) for name in read if (ROOT / name).is_file()}


def test_the_texts_are_found() -> None:
    assert {"README.md", "app/words/states.py", "app/static/js/app.js", "docs/operating.md"} <= texts().keys()


@pytest.mark.parametrize(("word", "instead"), REPLACED.items(), ids=[word.partition("|")[0] for word in REPLACED])
def test_a_word_that_has_a_standard_term_is_not_used(word: str, instead: str) -> None:
    pattern = re.compile(rf"(?<![a-z])(?:{word})(?![a-z])", re.IGNORECASE)
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, text in texts().items()
        if pattern.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == [], f"write instead: {instead}"
