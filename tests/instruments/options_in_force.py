"""Reads the options that libsrt reports for a socket of srtsink: the product's sink, or a sink that a test describes.

This runs as a separate process, because libsrt's threads disturb a test runner. The process reads one JSON line on
standard input and answers with one line of option names and values. The product's code does not read the options.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from app import protocol
from app.protocol import Job
from tests.instruments.child import ROOT
from tests.instruments.libsrt_abi import LibSrt, Option, SocketState

_SHOWN = (
    *(Option.FC, Option.SNDBUF, Option.RCVBUF, Option.MAXBW, Option.INPUTBW, Option.OHEADBW, Option.PBKEYLEN),
    *(Option.IPTOS, Option.TLPKTDROP, Option.NAKREPORT, Option.CONNTIMEO, Option.RCVLATENCY, Option.PEERLATENCY),
    Option.PEERIDLETIMEO,
)
_IDS_LOOKED_AT = 64


def of_the_product(job: Job) -> dict[str, int]:
    """Return the options of the socket that the product creates for a job, by name in lower case."""
    return _ask({"job": protocol.encode_job(job).decode()})


def by_hand(uri: str, *properties: tuple[str, Any]) -> dict[str, int]:
    """Return the options of the socket of an srtsink with this URI and these properties, set in this order."""
    return _ask({"uri": uri, "properties": properties})


def _ask(question: dict[str, Any]) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.instruments.options_in_force"],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=30,
        check=False,
    )
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Answer the question that standard input contains."""
    from app.engines.gstreamer.gst import Gst
    from app.engines.gstreamer.source import make

    question = json.loads(sys.stdin.readline())
    if "job" in question:
        from app.engines.gstreamer.pipeline import build_sink
        from app.worker.engines import send_spec_of

        job = protocol.decode_job(question["job"].encode())
        sink = build_sink(job, send_spec_of(job))
    else:
        sink = make("srtsink", uri=question["uri"])
        for name, value in [("wait-for-connection", False), ("async", False), *question["properties"]]:
            sink.set_property(name, value)
    srt = LibSrt()
    newest = srt.socket()  # socket ids count down: a socket that is created later has a lower id
    sink.set_state(Gst.State.PAUSED)
    made = [number for number in range(newest - 1, newest - _IDS_LOOKED_AT, -1) if srt.state(number) > SocketState.INIT]
    shown = {option.name.lower(): srt.read(made[0], option) for option in _SHOWN if srt.state(made[0]) < 9}
    print(json.dumps(shown), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
    import os

    os._exit(0)  # libsrt's threads race its static destructors
