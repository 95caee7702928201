"""Two ends of app.srt in one process: a listener and callers on loopback. Prints what it saw as one JSON line.

A process of its own, because libsrt's threads do not live well with a test runner.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.instruments.child import ROOT
from tests.instruments.waiting import free_port, wait_for

_PASSPHRASE = "ten letters and more"


def seen() -> dict[str, Any]:
    """Run the pair and return what it saw."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.instruments.srt_pair"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=30,
        check=False,
    )
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1])) | {"stderr": done.stderr}


def main() -> None:
    """Listen, call, refuse, send, receive, wait, and say what was seen."""
    from app.domain.secret import Secret
    from app.domain.spec import Encryption, FileSource, ListenerEndpoint, SendSpec
    from app.srt.addresses import host_of
    from app.srt.binding import time_now_us
    from app.srt.epoll import Epoll, EpollWithFds, Event
    from app.srt.log import LogLevel, hear_log
    from app.srt.options import Option, OptionRefused, Value
    from app.srt.rejections import Reject, reason_of_rejection
    from app.srt.sockets import Call, SrtSocket, State
    from app.srt.spec_options import agreed_options

    lines: list[str] = []
    hear_log(lines.append, LogLevel.WARNING)
    calls: list[Call] = []

    def decide(call: Call) -> int:
        calls.append(call)
        if call.stream_id == "boom":
            raise ValueError(call.stream_id)
        return Reject.OVERLOAD if call.stream_id == "full" else 0

    def made(**options: Value) -> SrtSocket:
        sock = SrtSocket.create()
        sock.set_all({Option.RCVSYN: False, Option.SNDSYN: False, **agreed_options(spec)})
        sock.set_all({Option[name]: value for name, value in options.items()})
        return sock

    port = free_port()
    encryption = Encryption(128, Secret(_PASSPHRASE))
    spec = SendSpec(ListenerEndpoint(port), FileSource("none.ts"), latency_ms=50, encryption=encryption)
    listener = made()
    listener.bind("127.0.0.1", port)
    listener.on_call(decide)
    listener.listen(64)
    epoll = Epoll()
    epoll.add(listener, Event.IN | Event.ERROR)
    callers = {
        name: made(STREAMID=name, RCVLATENCY=300, PASSPHRASE="wrong passphrase" if name == "wrong" else _PASSPHRASE)
        for name in ("good", "full", "boom", "wrong")
    }
    for caller in callers.values():
        caller.connect("127.0.0.1", port)
    wait_for(lambda: epoll.ready(100), deadline_s=10, what="a caller")
    accepted = wait_for(listener.accept, deadline_s=10, what="an accepted caller")
    assert accepted is not None
    ended = (State.BROKEN, State.CLOSED)
    wait_for(
        lambda: all(callers[name].state() in ended for name in ("full", "boom", "wrong")), deadline_s=10, what="no"
    )
    due_us = time_now_us() + 2000
    sent = [accepted.send(bytes([number]) * 188, due_us + 1000 * number) for number in range(5)]
    here, there = made(RENDEZVOUS=True), made(RENDEZVOUS=True)
    ends = ("127.0.0.1", free_port()), ("127.0.0.2", free_port())
    here.meet(*ends)
    there.meet(*reversed(ends))
    wait_for(lambda: here.state() is there.state() is State.CONNECTED, deadline_s=10, what="a rendezvous")
    waker = os.eventfd(1)
    with EpollWithFds() as both:
        both.add_fd(waker)
        woken = both.readable(5000)[1] == [waker]
        os.eventfd_read(waker)
        both.add(callers["good"], Event.IN | Event.ERROR)
        readable = both.readable(5000)[0] == [callers["good"]]
    messages: list[Any] = []
    while len(messages) < 5:
        if (message := callers["good"].receive()) is not None:
            messages.append(message)
    refused = {}
    wrong: dict[str, int | str] = {"CRYPTOMODE": 2, "PASSPHRASE": "short"}
    for name, value in wrong.items():
        try:
            made(**{name: value})
        except OptionRefused as error:
            refused[name] = str(error)
    stats, theirs = accepted.statistics(), callers["good"].statistics()
    assert stats is not None
    assert theirs is not None
    latency_ms, peer = accepted.option(Option.PEERLATENCY), accepted.peer_address()
    accepted.close()
    wait_for(lambda: callers["good"].state() is not State.CONNECTED, deadline_s=10, what="a goodbye")
    shown = {
        "accepted": [
            (call.stream_id, call.address.rpartition(":")[0]) for call in calls if call.number == accepted.number
        ],
        "own": [host_of(listener.own_address() or ""), peer in [call.address for call in calls]],
        "reasons": {name: reason_of_rejection(caller.reject_code()) for name, caller in callers.items()},
        "codes": {name: caller.reject_code() for name, caller in callers.items()},
        "sent": sent,
        "dues_us": [message.due_us - messages[0].due_us for message in messages],
        "sequences": [message.sequence - messages[0].sequence for message in messages],
        "payloads": [message.data[0] for message in messages],
        "woken": woken,
        "readable": readable,
        "refused": refused,
        "counts": [stats.pktSentUniqueTotal, theirs.pktRecvUniqueTotal, theirs.msRcvTsbPdDelay],
        "latency": [latency_ms, calls[0].version],
        "heard": any("BADSECRET" in line for line in lines),
        "nothing_more": callers["good"].state() in (State.BROKEN, State.CLOSING, State.CLOSED, State.NONEXIST),
        "loaded": [
            line.split("/")[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libgst" in line
        ],
    }
    print(json.dumps(shown), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
    os._exit(0)  # libsrt's threads race its static destructors
