"""Calls a listener with a wrong passphrase and prints the result: `python -m app.srt.wrong_passphrase HOST PORT`.

Runs as a child process, because the web process does not load libsrt. The passphrase is random.
"""

from __future__ import annotations

import json
import secrets
import socket
import sys
import time
from typing import Final

from app.domain.constants import CONNECT_TIMEOUT_MS
from app.domain.status import Reason
from app.srt.binding import ErrorCode, SrtError
from app.srt.options import Option
from app.srt.rejections import reason_of_rejection
from app.srt.sockets import ENDED, SrtSocket, State

_LOOK_EVERY_S: Final = 0.02


def main() -> None:
    """Print one JSON object: `state` is accepted, refused, silent or unreachable; `reason` says why it was refused."""
    host, port = sys.argv[1], int(sys.argv[2])
    try:
        *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    except OSError:
        json.dump({"state": "unreachable", "reason": ""}, sys.stdout)
        return
    state, reason = _call(str(address[0]), port)
    json.dump({"state": state, "reason": reason}, sys.stdout)


def _call(address: str, port: int) -> tuple[str, str]:
    caller = SrtSocket.create()
    try:
        caller.set(Option.PASSPHRASE, secrets.token_urlsafe(24))
        caller.set(Option.RCVSYN, False)
        # Otherwise this end would refuse a connection that the other end accepts.
        caller.set(Option.ENFORCEDENCRYPTION, False)
        caller.set(Option.CONNTIMEO, CONNECT_TIMEOUT_MS)
        caller.connect(address, port)
        return _outcome(caller)
    except SrtError as error:
        return ("silent" if error.code == ErrorCode.NO_SERVER else "refused"), error.text
    finally:
        caller.close()


def _outcome(caller: SrtSocket) -> tuple[str, str]:
    until = time.monotonic() + 2 * CONNECT_TIMEOUT_MS / 1000
    while time.monotonic() < until:
        state = caller.state()
        if state is State.CONNECTED:
            return "accepted", ""
        if state in ENDED:
            reason = reason_of_rejection(caller.reject_code())
            return ("silent", "") if reason is Reason.CONNECTION_TIMEOUT else ("refused", reason.value)
        time.sleep(_LOOK_EVERY_S)
    return "silent", ""


if __name__ == "__main__":
    main()
