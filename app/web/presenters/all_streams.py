"""The API's answer to an order to several streams."""

from __future__ import annotations

import msgspec

from app.web.presenters.stream_views import StreamView


class RefusedView(msgspec.Struct, frozen=True):
    """A stream that did not follow the order, and why."""

    key: str
    label: str
    message: str


class AllStreamsView(msgspec.Struct, frozen=True):
    """The streams that followed the order, as they are now, and those that did not."""

    streams: list[StreamView]
    refused: list[RefusedView]
