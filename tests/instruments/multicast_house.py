"""A multicast network: a host with two network interfaces, and a studio at the other end of both links."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

from app.domain.spec import MulticastSource
from tests.instruments.multicast_sender import MulticastSender
from tests.instruments.netns import Namespace
from tests.instruments.worker import RunningWorker, job_for

GROUP: Final = "239.255.10.1"
PORT: Final = 5000
# The addresses of the studio's two senders on the first link, and of its sender on the second link.
SENDER, OTHER_SENDER, SECOND_CABLE_SENDER = "10.55.1.2", "10.55.1.3", "10.55.2.2"


class House:
    """Two network namespaces. Workers and receivers run on `host`, channels in `studio`. SRT uses the host's loopback.

    The host's interfaces are `first` and `second`. Its multicast route uses `first`.
    """

    def __enter__(self) -> Self:
        with ExitStack() as made:
            self.host = made.enter_context(Namespace())
            self.studio = made.enter_context(Namespace(self.host))
            self.host.join(self.studio, "first", "10.55.1")
            self.host.join(self.studio, "second", "10.55.2")
            self.studio.run("ip", "address", "add", f"{OTHER_SENDER}/24", "dev", "first")
            self.host.run("ip", "route", "add", "224.0.0.0/4", "dev", "first")
            self._made = made.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._made.close()

    def channel(
        self, path: Path, *, bitrate_bps: int = 8_000_000, sender: str = SENDER, **wanted: Any
    ) -> MulticastSender:
        """Start a channel in the studio. `wanted` are further fields of multicast_sender.Wanted."""
        where = {"address": GROUP, "port": PORT, "interface_ip": sender, "bitrate_bps": bitrate_bps}
        return MulticastSender(within=self.studio.enter, path=path, **{**where, **wanted})

    def worker(self, source: MulticastSource, *, port: int = 10001, **changes: Any) -> RunningWorker:
        """Start a worker on the host that sends a channel as a listener on `port`."""
        return RunningWorker(job_for(source, port=port), within=self.host.enter, **changes)
