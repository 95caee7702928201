"""The input of a receive stream that polls only after all callers are connected. Prints the events that it reported.

    python -m tests.instruments.late_receiver CALLERS

A separate process, because libsrt's threads disturb a test runner.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from app.domain.spec import ListenerEndpoint, ReceiveSpec
from app.protocol import PeerEvent
from app.receiver.connection import SrtInput
from tests.instruments.calls import Crowd
from tests.instruments.child import ROOT
from tests.instruments.waiting import free_ports


def reports_of(callers: int) -> list[list[str | None]]:
    """Return the change and reason of each event, in order, when `callers` callers wait at the same time."""
    command = [sys.executable, "-m", "tests.instruments.late_receiver", str(callers)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def _main() -> None:
    callers = int(sys.argv[1])
    events: list[PeerEvent] = []
    port, calls_from = free_ports(2)
    receiver = SrtInput(ReceiveSpec(endpoint=ListenerEndpoint(port)), 0, events.append)
    receiver.open()
    with Crowd(port, callers, from_port=calls_from) as crowd:
        assert crowd.connected == callers, "libsrt refuses no caller before the first one is accepted"
        assert receiver.poll()
        assert not receiver.poll()
    print(json.dumps([(event.change, event.reason) for event in events]), flush=True)  # noqa: T201


if __name__ == "__main__":
    _main()
    os._exit(0)  # libsrt's destructors may hang
