"""The tables of the documentation that are made from the code are those of today's code."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.spec import SendSpec
from app.domain.spec.fields import settings_of
from scripts.generate_docs import TABLES, current


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_the_generated_tables_are_current(path: Path) -> None:
    assert path.read_text() == current(path), "run: make docs"


def test_a_table_that_is_out_of_date_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (page, tables) = next(iter(TABLES.items()))
    stale = tmp_path / page.name
    stale.write_text(page.read_text().replace("`latency_ms`", "`delay_ms`"))
    monkeypatch.setitem(TABLES, stale, tables)
    assert stale.read_text() != current(stale)


def test_every_setting_of_a_send_stream_has_its_row() -> None:
    (page,) = TABLES
    rows = [line for line in page.read_text().splitlines() if line.startswith("| `")]
    for setting in settings_of(SendSpec).values():
        (row,) = [line for line in rows if line.startswith((f"| `{setting.name}` |", f"| `{setting.name}` (send)"))]
        assert setting.title in row
        assert setting.bounds_text() in row
