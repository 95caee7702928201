"""The sending thread of the direct engine: its end, whatever the cause, ends the stream."""

from __future__ import annotations

import select
from types import SimpleNamespace
from typing import Any

import pytest

from app.domain.endings import Finished
from app.domain.spec import BarsSource, ListenerEndpoint, SendSpec
from app.domain.status import Reason
from app.engines.direct import sender as sender_module
from app.engines.direct.sender import DirectSender
from app.protocol import Job

SPEC = SendSpec(ListenerEndpoint(10001), BarsSource())


class FaultyDoor:
    """A door with an error that the engine does not expect."""

    def open(self) -> None:
        pass

    def is_waiting(self) -> bool:
        return False

    def serve(self, now_us: int) -> None:
        raise IndexError(now_us)

    def receivers(self) -> tuple[()]:
        return ()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_unexpected_error_of_the_sending_thread_ends_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    srt: Any = SimpleNamespace(c=SimpleNamespace(srt_time_now=lambda: 0))
    feed: Any = SimpleNamespace(turn_us=10_000, start=lambda _now_us: None)
    monkeypatch.setattr(sender_module, "library", lambda: srt)
    monkeypatch.setattr(sender_module, "_door_of", lambda *_: FaultyDoor())
    monkeypatch.setattr(sender_module, "build_feed", lambda *_: feed)
    sender = DirectSender(Job("abcdef", SPEC), SPEC, lambda _event: None)
    sender.start()
    assert select.select([sender.wake_fd()], [], [], 10)[0], "the worker is not woken"
    sender.halt()
    with pytest.raises(Finished) as ended:
        sender.poll()
    assert ended.value.reason is Reason.ENGINE_ERROR
    assert "sending thread has died" in ended.value.detail
