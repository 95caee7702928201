"""A line-up test reads a far installation's history: whatever it reads there, the history has."""

from __future__ import annotations

import msgspec

from app.lineup.remote_end import _RemoteSecond
from app.web.presenters.reception_views import DeliverySecondView


def test_the_history_of_a_reception_has_every_figure_that_a_line_up_test_reads_from_another_host() -> None:
    read = {field.encode_name for field in msgspec.structs.fields(_RemoteSecond)}
    shown = {field.encode_name for field in msgspec.structs.fields(DeliverySecondView)}
    assert read - shown == set()
