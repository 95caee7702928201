"""A probe whose connection breaks: it calls again and keeps what it has measured."""

from __future__ import annotations

import time

import pytest

from app.cli import probe_run
from app.cli.probe_run import Probe, Wanted
from app.cli.probe_target import probe_spec
from app.domain.endings import CannotSend, Finished
from app.domain.status import Reason
from app.machine.steady_clock import unix_now
from app.receiver.receiver import Receiver


def test_a_call_that_cannot_be_made_later_does_not_discard_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[float] = []

    def open_once(_: Receiver) -> None:
        calls.append(time.monotonic())
        if len(calls) > 1:
            raise CannotSend(Reason.HOST_NOT_FOUND, "the name server is away")

    def lose_connection(_: Receiver) -> None:
        raise Finished(Reason.CONNECTION_LOST, "the sender went silent")

    monkeypatch.setattr(Receiver, "open", open_once)
    monkeypatch.setattr(Receiver, "poll", lose_connection)
    monkeypatch.setattr(probe_run, "_CALL_AGAIN_S", 0.1)
    spec = probe_spec("srt://192.0.2.1:9000", key_bits=None, passphrase=None)
    probe = Probe(spec, Wanted(seconds=1, wait_s=1), lambda *_: None)
    probe._connected_at = unix_now()
    outcome = probe.run()
    assert outcome.received is not None
    assert outcome.problem is None
    assert len(calls) > 3
