"""Makes the engine's SRT sockets, and finds the Reason for an error of libsrt."""

from __future__ import annotations

from typing import Final

from app.domain.endings import CannotSend
from app.domain.spec import SendSpec
from app.domain.status import Reason
from app.protocol import Job
from app.srt.binding import ErrorCode, SrtError
from app.srt.options import Option, OptionRefused, Value
from app.srt.sockets import SrtSocket
from app.srt.spec_options import agreed_options, options

# No call may block: one thread serves every receiver.
_NEVER_WAIT: Final[dict[Option, Value]] = {Option.SNDSYN: False, Option.RCVSYN: False}
_REASONS: Final = {
    ErrorCode.BIND_CONFLICT: Reason.PORT_IN_USE,
    ErrorCode.SOCKET_SETUP: Reason.PORT_IN_USE,  # libsrt 1.5.1 reports this for a port that another program uses
    ErrorCode.SYSTEM_RESOURCES: Reason.OUT_OF_MEMORY,
    ErrorCode.NO_THREADS: Reason.OUT_OF_MEMORY,
    ErrorCode.NO_MEMORY: Reason.OUT_OF_MEMORY,
    ErrorCode.NO_SERVER: Reason.CONNECTION_TIMEOUT,
    ErrorCode.CONNECTION_REJECTED: Reason.CONNECTION_REJECTED,
    ErrorCode.CONNECTION_LOST: Reason.CONNECTION_LOST,
}


def make_socket(job: Job, spec: SendSpec) -> SrtSocket:
    """Make a socket with all options of the spec. Raises CannotSend, which names option, value and reason."""
    wanted = options(spec, dscp=job.dscp, bitrate_bps=job.bitrate_bps, is_constant_bitrate=job.is_constant_bitrate)
    sock = SrtSocket.create()
    try:
        sock.set_all(_NEVER_WAIT | wanted | agreed_options(spec))
    except OptionRefused as refused:
        raise CannotSend(Reason.BAD_OPTION, str(refused)) from None
    return sock


def reason_of_error(error: SrtError) -> Reason:
    """Return the Reason for an error of bind, listen or connect."""
    found = next((reason for code, reason in _REASONS.items() if code == error.code), Reason.ENGINE_ERROR)
    if "unreachable" in error.text.lower() or "no route" in error.text.lower():
        return Reason.NETWORK_UNREACHABLE
    return found
