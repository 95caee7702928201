"""The interface to a source for the sender: the messages that are due, each with its time, and the source's figures."""

from __future__ import annotations

from typing import Final, Protocol, assert_never

from app.domain.endings import CannotSend
from app.domain.figures.sample import Input
from app.domain.spec import BarsSource, FileSource, MulticastSource, SendSpec
from app.domain.status import Reason
from app.protocol import Job, Notify
from app.srt.messages import Batch

# The interval of sending a file. libsrt's cap spreads the messages over most of it. Shorter turns cost CPU, because a
# wake-up of Python costs more than its work.
FILE_TURN_US: Final = 40_000
# How early a file's messages are sent. A turn that is late by no more than the surplus uses none of the latency.
FILE_AHEAD_US: Final = 60_000
# How long a group's datagrams wait at most. Time spent waiting is no longer available for repairs.
GROUP_TURN_US: Final = 10_000


class Feed(Protocol):
    """A source, used by the sender's thread; another thread calls `read_input`."""

    turn_us: int

    def start(self, now_us: int) -> None:
        """Begin. The first message of a file is due now."""

    def due(self, now_us: int) -> list[Batch]:
        """Return the messages to send in this turn, with their times.

        Raises Finished when the source is no longer usable.
        """

    def has_ended(self) -> bool:
        """Whether no message will follow."""

    def read_input(self) -> Input:
        """Return the input figures so far."""

    def close(self) -> None:
        """Release the file or socket."""


def build_feed(job: Job, spec: SendSpec, notify: Notify) -> Feed:
    """Build the feed of a job. Raises CannotSend or Finished."""
    source = spec.source
    match source:
        case FileSource():
            from app.engines.direct.file_feed import FileFeed  # imported here: a worker needs only one of the two

            return FileFeed(job, source, spec.latency_ms, notify)
        case MulticastSource():
            from app.engines.direct.group_feed import GroupFeed

            return GroupFeed(source, spec.latency_ms, notify)
        case BarsSource():
            raise CannotSend(Reason.BAD_OPTION, "colour bars are made by GStreamer; choose the GStreamer engine")
        case _:
            assert_never(source)


def lag_max_us(latency_ms: int) -> int:
    """Return how late a packet may be sent and still be played: half of the latency remains for travel and repairs."""
    return max(20_000, latency_ms * 1000 // 2)
