"""Why a stream is in its phase, and whether and when it is tried again."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why a stream is in its phase."""

    END_OF_FILE = "end_of_file"
    NO_INPUT = "no_input"
    NO_ACKNOWLEDGEMENT = "no_acknowledgement"
    CONNECTION_TIMEOUT = "connection_timeout"
    CONNECTION_LOST = "connection_lost"
    CONNECTION_REJECTED = "connection_rejected"
    WRONG_PASSPHRASE = "wrong_passphrase"  # noqa: S105 - the name of a reason
    PASSPHRASE_REQUIRED = "passphrase_required"  # noqa: S105 - the name of a reason
    HOST_NOT_FOUND = "host_not_found"
    NETWORK_UNREACHABLE = "network_unreachable"
    PORT_IN_USE = "port_in_use"
    FILE_MISSING = "file_missing"
    FILE_UNREADABLE = "file_unreadable"
    FILE_CHANGED = "file_changed"
    NOT_A_TRANSPORT_STREAM = "not_a_transport_stream"
    NO_PCR = "no_pcr"
    SCRAMBLED = "scrambled"
    RUNAWAY = "runaway"
    INTERFACE_MISSING = "interface_missing"
    TARGET_REFUSED = "target_refused"
    BAD_OPTION = "bad_option"
    MISSING_ELEMENT = "missing_element"
    WORKER_CRASHED = "worker_crashed"
    WORKER_HUNG = "worker_hung"
    OUT_OF_MEMORY = "out_of_memory"
    ENGINE_ERROR = "engine_error"
    PASSPHRASE_LOST = "passphrase_lost"  # noqa: S105 - the name of a reason
    NO_RUNTIME = "no_runtime"
    SPEC_UNREADABLE = "spec_unreadable"
    ORDER_LOST = "order_lost"
    MOVED = "moved"


# Waiting cannot correct these faults, and trying again would only hide them.
NOT_RETRIABLE: Final = frozenset(
    {
        Reason.FILE_MISSING,
        Reason.FILE_UNREADABLE,
        Reason.NOT_A_TRANSPORT_STREAM,
        Reason.NO_PCR,
        Reason.SCRAMBLED,
        Reason.RUNAWAY,
        Reason.BAD_OPTION,
        Reason.TARGET_REFUSED,
        Reason.MISSING_ELEMENT,
        Reason.PASSPHRASE_LOST,
        Reason.SPEC_UNREADABLE,
        Reason.ORDER_LOST,
    }
)
# A peer that refuses us is called rarely: libsrt peers log each call and may ban us.
_SLOW_RETRY: Final = frozenset({Reason.WRONG_PASSPHRASE, Reason.PASSPHRASE_REQUIRED})
# The far end or its route is gone and may return at any moment. The operator waits for the next call.
_AWAY: Final = frozenset(
    {
        Reason.CONNECTION_TIMEOUT,
        Reason.CONNECTION_LOST,
        Reason.HOST_NOT_FOUND,
        Reason.NETWORK_UNREACHABLE,
        Reason.MOVED,
    }
)
# Faults of the worker itself. Three in a row without delivery are not a coincidence.
CRASHES: Final = frozenset({Reason.WORKER_CRASHED, Reason.WORKER_HUNG, Reason.ENGINE_ERROR})
CRASHES_ALLOWED: Final = 3

BACK_OFF_S: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
SLOW_BACK_OFF_S: Final = (30.0, 60.0)
# With the start of a worker and the first acknowledgement, a far end that is back is delivered to within 6 s.
AWAY_BACK_OFF_S: Final = (1.0, 2.0, 3.0)
# The peer answers and refuses: it may be restarting, or it may serve another sender.
REJECTED_BACK_OFF_S: Final = (5.0, 10.0, 15.0)


def back_off_s(reason: Reason, attempts: int, jitter: float) -> float:
    """Return the seconds to wait before the next try after `attempts` tries; jitter (0..1) adds up to a tenth."""
    ladder = _ladder(reason)
    return ladder[min(attempts, len(ladder) - 1)] * (1 + jitter / 10)


def _ladder(reason: Reason) -> tuple[float, ...]:
    if reason in _SLOW_RETRY:
        return SLOW_BACK_OFF_S
    if reason in _AWAY:
        return AWAY_BACK_OFF_S
    return REJECTED_BACK_OFF_S if reason is Reason.CONNECTION_REJECTED else BACK_OFF_S
