"""Says in a few words why a stream needs attention."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from app.domain.figures.delivery_verdict import judge as judge_reception
from app.domain.snapshot import Snapshot
from app.domain.spec import SendSpec
from app.domain.status import Phase, Reason
from app.domain.verdict import Concern, Verdict, lost_at_receiver
from app.words.states import interrupted_text, reason_text

_PLAIN: Final = {
    Concern.RESENDS_HELD_BACK: "retransmissions are delayed: the sending cap is reached",
    Concern.DROPPING: "the sender drops packets",
    Concern.SOURCE_ERRORS: "continuity errors in the source",
    Concern.LATENCY_SHORT: "latency short for this RTT",
    Concern.REFUSED: "a caller is refused",
    Concern.OTHER_VERSION: "the worker has another program version: restart the stream when convenient",
}
_BEGINS: Final = "the file begins with the first receiver"


def remark_text(verdict: Verdict, snapshot: Snapshot) -> str | None:
    """Say why a stream needs attention or what it waits for; None if its phase and reason say everything."""
    concern = verdict.concern
    if concern is None and snapshot.host:
        return f"carried by {snapshot.host}"
    if concern is None and snapshot.status.phase is Phase.BACKING_OFF and snapshot.status.reason is None:
        return f"no host can carry it: {snapshot.detail}"
    if concern is None:
        return _BEGINS if _has_yet_to_begin(snapshot) else None
    match concern:
        case Concern.DISCARDED:
            return _discarded_text(snapshot)
        case Concern.RECEIVERS_MISSING:
            return _missing_text(snapshot)
        case Concern.LOST_AT_RECEIVER:
            return f"about {loss_text(lost_at_receiver(snapshot))} lost at the receiver"
        case Concern.RECEPTION if snapshot.reception is not None:
            return judge_reception(snapshot.reception, clock_time, outputs=snapshot.outputs).text
        case Concern.STAYS_DOWN:
            return f"{reason_text(snapshot.fault)}: will not restart automatically"
        case _:
            return _PLAIN.get(concern)


def direct_engine_offer(snapshot: Snapshot) -> str | None:
    """Say what a change to the direct engine gains and interrupts; None if GStreamer loses no packet of the source.

    GStreamer makes the colour bars itself, so it loses none of their packets.
    """
    sample, reason = snapshot.sample, snapshot.status.reason
    discards_packets = sample is not None and sample.input.packets_discarded_total > 0
    if not isinstance(snapshot.spec, SendSpec) or not (discards_packets or reason is Reason.SCRAMBLED):
        return None
    interrupted = interrupted_text(snapshot) or "No receiver is connected."
    return f"The direct engine carries every packet of this source. The change restarts the stream. {interrupted}"


def _has_yet_to_begin(snapshot: Snapshot) -> bool:
    """Whether a file that is played once still waits for its first receiver."""
    spec, sample = snapshot.spec, snapshot.sample
    is_waiting = snapshot.status.phase is Phase.WAITING and sample is not None and not sample.input.bytes_total
    return is_waiting and isinstance(spec, SendSpec) and spec.begins_with_receiver


def clock_time(at: float) -> str:
    """Return Unix time to the second as the pages show it, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def loss_text(fraction: float | None) -> str:
    """Return a fraction of packets in readable form: `1.3 %`, or `1 in 20,000` for a small one."""
    if fraction is None:
        return "–"
    if fraction >= 0.001:
        return f"{100 * fraction:.2g} %"
    return f"1 in {round(1 / fraction, -3):,.0f}" if fraction >= 1e-6 else "nothing"


def _discarded_text(snapshot: Snapshot) -> str | None:
    if snapshot.sample is None:
        return None
    source = snapshot.sample.input
    if source.packets_scrambled_total:
        return f"{source.packets_scrambled_total} scrambled packets discarded: no receiver gets them"
    return f"{source.packets_errored_total} packets with transport errors discarded"


def _missing_text(snapshot: Snapshot) -> str:
    attendance = snapshot.attendance
    number = attendance.missing
    since = datetime.fromtimestamp(attendance.missing_since or 0.0, UTC).strftime("%H:%M:%S")
    who = f", was {', '.join(attendance.absent)}" if attendance.absent else ""
    return f"{number} of {attendance.expected} receivers missing since {since} UTC{who}"
