"""What the sender needs of a source: the messages that are due now, each with its time, and the source's figures."""

from __future__ import annotations

from typing import Final, Protocol, assert_never

from app.domain.endings import CannotSend
from app.domain.figures.sample import Input
from app.domain.spec import BarsSource, FileSource, MulticastSource, SendSpec
from app.domain.status import Reason
from app.protocol import Job, Notify
from app.srt.messages import Batch

# How often a file is sent. It goes out this much before it is due; libsrt's cap spreads each turn over most of it.
FILE_TURN_US: Final = 20_000
# A group's datagrams wait up to this long for their turn: what is sent late has less of the latency for repairs.
GROUP_TURN_US: Final = 10_000


class Feed(Protocol):
    """A source in the sender's thread; `read_input` comes from another."""

    turn_us: int

    def start(self, now_us: int) -> None:
        """Begin: the first message of a file is due now."""

    def due(self, now_us: int) -> list[Batch]:
        """The messages to send in this turn, with their times. Raises Finished when the source is no longer usable."""

    def has_ended(self) -> bool:
        """Whether no message will follow."""

    def read_input(self) -> Input:
        """What came in so far."""

    def close(self) -> None:
        """Release the file or socket."""


def build_feed(job: Job, spec: SendSpec, notify: Notify) -> Feed:
    """Build the feed of a job. Raises CannotSend or Finished."""
    source = spec.source
    match source:
        case FileSource():
            from app.engines.direct.file_feed import FileFeed  # one of the two is all that a worker needs

            return FileFeed(job, source, spec.latency_ms, notify)
        case MulticastSource():
            from app.engines.direct.group_feed import GroupFeed

            return GroupFeed(source, spec.latency_ms, notify)
        case BarsSource():
            raise CannotSend(Reason.BAD_OPTION, "colour bars are made by GStreamer; choose the GStreamer engine")
        case _:
            assert_never(source)


def lag_max_us(latency_ms: int) -> int:
    """How late a packet may go out and still be played: half the latency is left for the way and for repairs."""
    return max(20_000, latency_ms * 1000 // 2)
