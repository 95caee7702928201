"""Makes of a spec the order that a worker carries out: with the file found and its rate measured."""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.constants import BARS_BITRATE_BPS
from app.domain.spec import BarsSource, FileSource, StreamSpec
from app.media.library import MediaLibrary
from app.protocol import WorkerOrder
from app.settings import Settings

WORKER_MEMORY_BYTES: Final = 256 * 1024 * 1024


class OrderMaker:
    """Makes orders by the settings and the media folder of one installation."""

    def __init__(self, settings: Settings, media: MediaLibrary) -> None:
        self._settings = settings
        self._media = media

    def order_for(self, key: str, spec: StreamSpec) -> WorkerOrder:
        """The order for a spec. Raises InvalidInput when its file cannot be sent."""
        order = self.bare_order(key, spec)
        if isinstance(spec.source, BarsSource):
            return msgspec.structs.replace(order, bitrate_bps=BARS_BITRATE_BPS, is_constant_bitrate=True)
        if not isinstance(spec.source, FileSource):
            return order
        check = self._media.check(spec.source.path)
        path = self._media.resolve(spec.source.path)
        return msgspec.structs.replace(
            order,
            file_path=str(path),
            bitrate_bps=check.bitrate_bps,
            is_constant_bitrate=check.is_constant_bitrate,
        )

    def bare_order(self, key: str, spec: StreamSpec) -> WorkerOrder:
        """The order without what only the media folder knows: for a stream that is not to be started."""
        return WorkerOrder(
            key=key,
            spec=spec,
            socket_path="",
            dscp=self._settings.qos_dscp,
            memory_bytes=WORKER_MEMORY_BYTES,
        )
