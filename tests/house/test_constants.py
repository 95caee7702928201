"""Each number of a standard, of SRT and of our limits stands in app/domain/constants.py, and nowhere else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "app"
HOME = APP / "domain" / "constants.py"
# Numbers that mean the same thing wherever they stand. 44 is also a libsrt option, 0xBC a stream_id of PES.
DISTINCTIVE = {188, 1316, 1472, 0x1FFF, 8000, 79, 44, 8192}
ALSO_SOMETHING_ELSE = {("srt/options.py", 44), ("mpegts/pes.py", 0xBC)}


def numbers_in(path: Path) -> set[int]:
    """The whole numbers written in a file."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and type(node.value) is int}


@pytest.mark.parametrize("path", sorted(set(APP.rglob("*.py")) - {HOME}), ids=lambda path: str(path.relative_to(APP)))
def test_a_number_with_a_name_is_written_once(path: Path) -> None:
    name = str(path.relative_to(APP))
    found = {number for number in numbers_in(path) & DISTINCTIVE if (name, number) not in ALSO_SOMETHING_ELSE}
    assert not found, f"import these from app.domain.constants: {found}"


def test_every_constant_names_its_source_or_its_reason() -> None:
    lines = [line for line in HOME.read_text().splitlines() if ": Final = " in line]
    assert [line for line in lines if "  # " not in line] == []
