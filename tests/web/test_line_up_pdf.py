"""The PDF of a line-up report, by the drawing commands of its pages."""

from __future__ import annotations

import re
import zlib

import msgspec
from werkzeug.test import Client

from app import create_app
from app.domain.lineup.measured import Check, CheckVerdict, ReceiverSecond
from app.domain.lineup.run import Run, encode_run
from app.settings import Settings
from tests.web.conftest import API_KEY
from tests.web.fake_line_ups import LINE_UP_ID, stored_line_up
from tests.web.fake_manager import FakeManager

_FILLED = re.compile(rb"\bre f\b")


def pages_of(settings: Settings, run: Run) -> list[bytes]:
    """Return the drawing commands of each page, in order."""
    settings.data_folder.mkdir(parents=True, exist_ok=True)
    (settings.data_folder / f"line_up-{run.id}.json").write_bytes(encode_run(run))
    client = Client(create_app(settings, manager=FakeManager([])))
    bearer = {"Authorization": f"Bearer {API_KEY}"}
    pdf = client.get(f"/api/line-ups/{LINE_UP_ID}?format=pdf", headers=bearer).data
    found = [part for part in re.findall(rb"stream\n(.*?)\nendstream", pdf, re.S) if part.startswith(b"x")]
    return [drawn for drawn in map(zlib.decompress, found) if b"BT" in drawn and b"beginbf" not in drawn]


def test_only_the_graph_is_filled_so_that_every_table_head_is_legible_in_black_and_white(settings: Settings) -> None:
    run = stored_line_up()
    late = ReceiverSecond(run.measured.receiver[0].at, 760, gap_ms=120, packets_lost=3)
    checks = (Check("Wrong passphrase", "refused", "refused", "refused", CheckVerdict.PASS),)
    measured = msgspec.structs.replace(run.measured, receiver=(late, *run.measured.receiver[1:]), checks=checks)
    front, annex = pages_of(settings, msgspec.structs.replace(run, measured=measured))
    assert (len(_FILLED.findall(front)), len(_FILLED.findall(annex))) == (2, 0)
