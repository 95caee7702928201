"""No file, function or line is too long to be read at once, whatever its language. What others wrote is left alone."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40
LINE_MAX = 120
LANGUAGES = {".py", ".js", ".html", ".sh"}
SCRIPTS = {"mcr", ".ci/run"}
SHELL_FUNCTION = re.compile(r"^(\w[\w-]*)\(\) *[{(]\n(.*?)^[})]", re.MULTILINE | re.DOTALL)
# A line that opens a function and ends in "{", up to the next line with its indentation, or less.
JS_FUNCTION = re.compile(
    r"^(?P<indent> *)(?P<head>(?!(?:\} )?(?:if|for|while|switch|catch|else)\b)\S.*(?:\)|=>) \{)\n"
    r"(?:(?P=indent) +\S.*\n|\n)*(?P=indent)\S.*$",
    re.MULTILINE,
)


def sources() -> list[Path]:
    """Return every source file that git knows, and those that it does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [Path(name) for name in listed.stdout.splitlines()]
    ours = [path for path in paths if path.suffix in LANGUAGES or path.as_posix() in SCRIPTS]
    return [ROOT / path for path in ours if "vendor" not in path.parts and (ROOT / path).is_file()]


def long_lines(path: Path) -> Iterator[str]:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if len(line) > LINE_MAX:
            yield f"{path}:{number}: {len(line)} characters"


def long_file(path: Path) -> Iterator[str]:
    if (lines := len(path.read_text().splitlines())) > FILE_LINES_MAX:
        yield f"{path}: {lines} lines"


def long_functions(path: Path) -> Iterator[str]:
    """The functions of a file that are too long. The indentation shows where a function of JavaScript ends."""
    for name, lines in _functions(path):
        if lines > FUNCTION_LINES_MAX:
            yield f"{path}: {name} has {lines} lines"


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name, (node.end_lineno or 0) - node.lineno + 1
    elif path.suffix == ".js":
        for found in JS_FUNCTION.finditer(path.read_text()):
            yield found["head"].strip(), found[0].count("\n") + 1
    elif path.suffix == ".sh":
        for found in SHELL_FUNCTION.finditer(path.read_text()):
            yield found[1], found[2].count("\n") + 2


def test_there_are_sources_of_every_language() -> None:
    assert {path.suffix for path in sources()} >= LANGUAGES
    assert len(sources()) > 500


def test_no_line_is_too_long() -> None:
    assert not [found for path in sources() for found in long_lines(path)]


def test_no_file_is_too_long() -> None:
    assert not [found for path in sources() for found in long_file(path)]


def test_no_function_is_too_long() -> None:
    assert not [found for path in sources() for found in long_functions(path)]


def test_what_is_too_long_is_found(tmp_path: Path) -> None:
    body = "    pass\n" * FUNCTION_LINES_MAX
    long = {
        "long.py": f"def long():\n{body}" + "x = 1\n" * 260 + "#" * 121,
        "long.sh": "long() {\n" + "    :\n" * 40 + "}\n" * 1 + ":\n" * 260 + "#" * 121,
        "long.js": "export const long = (a) => {\n" + "  a();\n" * 40 + "};\n" + "a();\n" * 260 + "//" * 61,
        "long.html": "<p>\n" * 301 + "å" * 121,
    }
    for name, text in long.items():
        path = tmp_path / name
        path.write_text(text)
        assert list(long_file(path)), name
        assert list(long_lines(path)), name
        assert list(long_functions(path)) or path.suffix == ".html", name


@pytest.mark.parametrize(
    "head", ["export async function long(a) {", "const a = async (b) => {", "class A {\n  long() {"]
)
def test_a_long_function_of_a_script_is_found_in_every_spelling(head: str, tmp_path: Path) -> None:
    path = tmp_path / "long.js"
    indent = " " * 2 * head.count("\n")
    for lines, is_long in [(FUNCTION_LINES_MAX - 2, False), (FUNCTION_LINES_MAX - 1, True)]:
        body = f"{indent}  if (a) {{\n" + f"{indent}    a();\n\n" * (lines // 2 - 1) + f"{indent}  }}\n"
        path.write_text(f"{head}\n{body}" + f"{indent}  a();\n" * (lines % 2) + f"{indent}}}\n")
        assert bool(list(long_functions(path))) is is_long


def test_biome_has_the_same_limit() -> None:
    rules = json.loads((ROOT / "biome.json").read_text())["linter"]["rules"]
    assert rules["complexity"]["noExcessiveLinesPerFunction"]["options"] == {"maxLines": FUNCTION_LINES_MAX}


def test_what_is_just_short_enough_is_not(tmp_path: Path) -> None:
    path = tmp_path / "short.py"
    path.write_text("def short():\n" + "    pass\n" * (FUNCTION_LINES_MAX - 1) + "å" * LINE_MAX)
    assert not [*long_file(path), *long_lines(path), *long_functions(path)]
