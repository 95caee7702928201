"""Each number of a standard, of SRT and of our limits stands in app/domain/constants.py, and nowhere else."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.house.parsed import tree_of

APP = Path(__file__).parents[2] / "app"
HOME = APP / "domain" / "constants.py"
# Numbers that mean the same thing wherever they stand. 44 is also a libsrt option, 0xBC a stream_id of PES.
DISTINCTIVE = {188, 1316, 1472, 0x1FFF, 8000, 79, 44, 8192}
ALSO_SOMETHING_ELSE = {("srt/options.py", 44), ("mpegts/pes.py", 0xBC)}


def numbers_in(path: Path) -> set[int]:
    """Return the whole numbers written in a file."""
    nodes = ast.walk(tree_of(path))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and type(node.value) is int}


def test_a_number_with_a_name_is_written_once() -> None:
    others = sorted(set(APP.rglob("*.py")) - {HOME})
    found = {
        (str(path.relative_to(APP)), number) for path in others for number in numbers_in(path) & DISTINCTIVE
    } - ALSO_SOMETHING_ELSE
    assert len(others) > 300
    assert found == set(), "import these from app.domain.constants"


def test_every_constant_names_its_source_or_its_reason() -> None:
    lines = [line for line in HOME.read_text().splitlines() if ": Final = " in line]
    assert [line for line in lines if "  # " not in line] == []
