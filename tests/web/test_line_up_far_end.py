"""A line-up test reads another installation's history: each figure that it reads exists there."""

from __future__ import annotations

import msgspec
import pytest

from app.lineup.remote_end import _RemoteDecoder, _RemoteLoudness, _RemotePicture, _RemoteSecond, _RemoteSpell
from app.web.presenters.reception_views import DecoderView, DeliverySecondView, LoudnessView, PictureView, SpellView


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (_RemoteSecond, DeliverySecondView),
        (_RemotePicture, PictureView),
        (_RemoteLoudness, LoudnessView),
        (_RemoteSpell, SpellView),
        (_RemoteDecoder, DecoderView),
    ],
)
def test_a_reception_shows_every_figure_that_a_line_up_test_reads_from_another_host(
    asked: type[msgspec.Struct], answered: type[msgspec.Struct]
) -> None:
    read = {field.encode_name for field in msgspec.structs.fields(asked)}
    shown = {field.encode_name for field in msgspec.structs.fields(answered)}
    assert read - shown == set()
