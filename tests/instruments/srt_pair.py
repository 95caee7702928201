"""Tests app.srt with a listener and callers on loopback, all in one process. Prints its findings as one JSON line.

This runs as a separate process, because libsrt's threads disturb a test runner.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from app.domain.secret import Secret
from app.domain.spec import Encryption, FileSource, ListenerEndpoint, SendSpec
from app.srt.addresses import host_of
from app.srt.binding import time_now_us
from app.srt.epoll import Epoll, EpollWithFds, Event
from app.srt.log import LogLevel, hear_log
from app.srt.messages import Message, MessageReader
from app.srt.options import Option, OptionRefused, Value
from app.srt.rejections import Reject, reason_of_rejection
from app.srt.sockets import Call, SrtSocket, State
from app.srt.spec_options import agreed_options
from tests.instruments.child import ROOT
from tests.instruments.waiting import free_port, wait_for

_PASSPHRASE = "ten letters and more"


def seen() -> dict[str, Any]:
    """Run the pair in a separate process. Return its findings and its standard error."""
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


class _Pair:
    """A listener that accepts one caller and refuses others, and these callers."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.calls: list[Call] = []
        self.port = free_port()
        encryption = Encryption(128, Secret(_PASSPHRASE))
        self.spec = SendSpec(ListenerEndpoint(self.port), FileSource("none.ts"), latency_ms=50, encryption=encryption)
        hear_log(self.lines.append, LogLevel.WARNING)
        self.listener = self.made()
        self.callers = {
            name: self.made(
                STREAMID=name, RCVLATENCY=300, PASSPHRASE="wrong passphrase" if name == "wrong" else _PASSPHRASE
            )
            for name in ("good", "full", "boom", "wrong")
        }

    def made(self, **options: Value) -> SrtSocket:
        sock = SrtSocket.create()
        sock.set_all({Option.RCVSYN: False, Option.SNDSYN: False, **agreed_options(self.spec)})
        sock.set_all({Option[name]: value for name, value in options.items()})
        return sock

    def decide(self, call: Call) -> int:
        self.calls.append(call)
        if call.stream_id == "boom":
            raise ValueError(call.stream_id)
        return Reject.OVERLOAD if call.stream_id == "full" else 0

    def meet(self) -> SrtSocket:
        """Listen and call. Return the accepted socket when all other callers are refused."""
        self.listener.bind("127.0.0.1", self.port)
        self.listener.on_call(self.decide)
        self.listener.listen(64)
        epoll = Epoll()
        epoll.add(self.listener, Event.IN | Event.ERROR)
        for caller in self.callers.values():
            caller.connect("127.0.0.1", self.port)
        wait_for(lambda: epoll.ready(100), deadline_s=10, what="a caller")
        accepted: SrtSocket | None = wait_for(self.listener.accept, deadline_s=10, what="an accepted caller")
        assert accepted is not None
        refused = [self.callers[name] for name in ("full", "boom", "wrong")]
        ended = (State.BROKEN, State.CLOSED)
        wait_for(lambda: all(each.state() in ended for each in refused), deadline_s=10, what="refusals")
        return accepted

    def rendezvous(self) -> None:
        """Connect two sockets in rendezvous mode."""
        here, there = self.made(RENDEZVOUS=True), self.made(RENDEZVOUS=True)
        ends = ("127.0.0.1", free_port()), ("127.0.0.2", free_port())
        here.meet(*ends)
        there.meet(*reversed(ends))
        wait_for(lambda: here.state() is there.state() is State.CONNECTED, deadline_s=10, what="a rendezvous")

    def wait_both_ways(self) -> tuple[bool, bool]:
        """Wait for a descriptor and for a socket in one epoll. Return whether each of them woke it."""
        waker = os.eventfd(1)
        with EpollWithFds() as both:
            both.add_fd(waker)
            woken = both.readable(5000)[1] == [waker]
            os.eventfd_read(waker)
            both.add(self.callers["good"], Event.IN | Event.ERROR)
            return woken, both.readable(5000)[0] == [self.callers["good"]]

    def received(self) -> list[Message]:
        reader, messages = MessageReader(), list[Message]()
        while len(messages) < 5:
            messages += reader.read(self.callers["good"].number, 5)
        return messages

    def refused(self) -> dict[str, str]:
        """Return libsrt's error messages for options that it refuses."""
        found = {}
        wrong: dict[str, Value] = {"CRYPTOMODE": 2, "PASSPHRASE": "short"}
        for name, value in wrong.items():
            try:
                self.made(**{name: value})
            except OptionRefused as error:
                found[name] = str(error)
        return found

    def of_the_callers(self) -> dict[str, Any]:
        """Return how the calls ended."""
        good = self.callers["good"]
        return {
            "reasons": {name: reason_of_rejection(caller.reject_code()) for name, caller in self.callers.items()},
            "codes": {name: caller.reject_code() for name, caller in self.callers.items()},
            "heard": any("BADSECRET" in line for line in self.lines),
            "nothing_more": good.state() in (State.BROKEN, State.CLOSING, State.CLOSED, State.NONEXIST),
        }


def main() -> None:
    """Listen, call, refuse, send, receive, wait, and print the findings."""
    pair = _Pair()
    accepted = pair.meet()
    due_us = time_now_us() + 2000
    sent = [accepted.send(bytes([number]) * 188, due_us + 1000 * number) for number in range(5)]
    pair.rendezvous()
    woken, readable = pair.wait_both_ways()
    messages = pair.received()
    refused = pair.refused()
    stats, theirs = accepted.statistics(), pair.callers["good"].statistics()
    assert stats is not None
    assert theirs is not None
    latency_ms, peer = accepted.option(Option.PEERLATENCY), accepted.peer_address()
    accepted.close()
    wait_for(lambda: pair.callers["good"].state() is not State.CONNECTED, deadline_s=10, what="a shutdown")
    calls = pair.calls
    shown = {
        "accepted": [
            (call.stream_id, call.address.rpartition(":")[0]) for call in calls if call.number == accepted.number
        ],
        "own": [host_of(pair.listener.own_address() or ""), peer in [call.address for call in calls]],
        "sent": sent,
        "dues_us": [message.due_us - messages[0].due_us for message in messages],
        "sequences": [message.sequence - messages[0].sequence for message in messages],
        "payloads": [message.data[0] for message in messages],
        "woken": woken,
        "readable": readable,
        "refused": refused,
        "counts": [stats.pktSentUniqueTotal, theirs.pktRecvUniqueTotal, theirs.msRcvTsbPdDelay],
        "latency": [latency_ms, calls[0].version],
        "loaded": [
            line.split("/")[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libgst" in line
        ],
    }
    print(json.dumps(shown | pair.of_the_callers()), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
    os._exit(0)  # libsrt's threads race its static destructors
