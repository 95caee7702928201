"""Answers for spreadsheets: CSV by RFC 4180, as a file to save."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable, Sequence
from typing import Final

from flask import Response

# A spreadsheet reads these as the beginning of a formula (OWASP, CSV Injection). Anyone may choose a stream's name.
_FORMULA_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_response(subject: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """Return a CSV file named after its subject and the time. None is an empty cell, and no text becomes a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_as_text(cell) for cell in row] for row in rows)
    response = Response(text.getvalue(), mimetype="text/csv")
    name = f"srt-{subject}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.csv"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _as_text(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_BEGINS) else cell
