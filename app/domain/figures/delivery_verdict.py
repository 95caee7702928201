"""Judges a reception in words: is it good, and if not, what is wrong and who must look for the cause."""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Final

import msgspec

from app.domain.figures.outputs import OutputsReport
from app.domain.figures.reception import ErrorKind, Reception
from app.domain.figures.watching import findings as findings_of_watching

# An older fault is less severe: a fault of an hour ago must not hide that the link is healthy now.
RECENT_S: Final = 60.0
_SHORT_FREEZE_MS: Final = 1000.0
_LATE_P99_MS: Final = 60.0
_HEADROOM_PART: Final = 0.2
_QUIET_MS: Final = 2000.0

_NO_OUTPUTS: Final = OutputsReport()

SayTime = Callable[[float], str]


class VerdictSeverity(StrEnum):
    """How severe the state of a reception is, worst last."""

    GOOD = "good"
    ATTENTION = "attention"
    FAULT = "fault"


_ORDER: Final = tuple(VerdictSeverity)


class Verdict(msgspec.Struct, frozen=True):
    """The headline, and all findings with the worst first."""

    severity: VerdictSeverity
    text: str
    findings: tuple[str, ...] = ()


class _Finding(msgspec.Struct, frozen=True):
    severity: VerdictSeverity
    text: str


def judge(
    reception: Reception, say_time: SayTime, *, outputs: OutputsReport = _NO_OUTPUTS, whole: bool = False
) -> Verdict:
    """Judge a reception since its reset. `say_time` turns Unix seconds into clock time for the reader.

    `outputs` has the findings of its decoders. A fault older than RECENT_S counts as attention, except in a verdict on
    the `whole` period.
    """
    found = [*_lost(reception, say_time), *_stopped(reception, say_time), *_continuity(reception, say_time)]
    found += [*_timing(reception), *_own(reception, say_time)]
    watched = findings_of_watching(outputs.picture, outputs.loudness, reception.second.at, say_time)
    found += [_Finding(VerdictSeverity.ATTENTION, text) for text in watched]
    if not whole:
        found = [_aged(finding, reception) for finding in found]
    found.sort(key=lambda finding: -_ORDER.index(finding.severity))
    if found:
        texts = tuple(finding.text for finding in found)
        return Verdict(found[0].severity, texts[0], texts)
    if not reception.received.packets_unique:
        return Verdict(VerdictSeverity.ATTENTION, "no packet has arrived yet")
    return Verdict(VerdictSeverity.GOOD, f"every packet arrived whole and in time since {say_time(reception.since)}")


def severity_of_errors(errors: Collection[ErrorKind]) -> VerdictSeverity:
    """Return the severity of a single second, for the colour of a chart."""
    if not errors:
        return VerdictSeverity.GOOD
    mild = {ErrorKind.HELD_UP, ErrorKind.SILENT}
    return VerdictSeverity.ATTENTION if mild.issuperset(errors) else VerdictSeverity.FAULT


def _aged(finding: _Finding, reception: Reception) -> _Finding:
    times = [at for kind, at in reception.last_error_at.items() if kind is not ErrorKind.HELD_UP]
    is_recent = not times or reception.second.at - max(times) <= RECENT_S or reception.quiet_ms > _QUIET_MS
    if is_recent or finding.severity is not VerdictSeverity.FAULT:
        return finding
    return _Finding(VerdictSeverity.ATTENTION, finding.text)


def _lost(reception: Reception, say_time: SayTime) -> list[_Finding]:
    found = []
    received = reception.received
    if received.packets_dropped:
        last = say_time(reception.last_error_at[ErrorKind.LOST])
        text = f"{_count(received.packets_dropped, 'packet')} lost for good, the last at {last}"
        found.append(_Finding(VerdictSeverity.FAULT, text))
    if received.packets_undecryptable:
        text = f"{_count(received.packets_undecryptable, 'packet')} could not be decrypted: compare the passphrases"
        found.append(_Finding(VerdictSeverity.FAULT, text))
    return found


def _stopped(reception: Reception, say_time: SayTime) -> list[_Finding]:
    found = []
    if reception.longest_freeze_at is not None:
        lost = "" if reception.received.packets_dropped else " although no packet was lost"
        at = say_time(reception.longest_freeze_at)
        text = f"picture froze for {_seconds(reception.longest_freeze_ms)} at {at}{lost}"
        is_long = reception.longest_freeze_ms >= _SHORT_FREEZE_MS
        found.append(_Finding(VerdictSeverity.FAULT if is_long else VerdictSeverity.ATTENTION, text))
    if reception.longest_silence_ms:
        text = f"the sender sent nothing for {_seconds(reception.longest_silence_ms)}: its input, not the network"
        found.append(_Finding(VerdictSeverity.ATTENTION, text))
    if absent_s := reception.error_seconds.get(ErrorKind.DISCONNECTED, 0):
        last = say_time(reception.last_error_at[ErrorKind.DISCONNECTED])
        found.append(
            _Finding(VerdictSeverity.FAULT, f"not connected for {absent_s} s in total, the last time at {last}")
        )
    if reception.quiet_ms > _QUIET_MS and reception.second.gauges.connections:
        text = f"no packet has been delivered for {_seconds(reception.quiet_ms)}"
        found.append(_Finding(VerdictSeverity.FAULT, text))
    return found


def _continuity(reception: Reception, say_time: SayTime) -> list[_Finding]:
    found = []
    seconds = reception.error_seconds
    if encoder_s := seconds.get(ErrorKind.CONTINUITY_ENCODER, 0):
        last = say_time(reception.last_error_at[ErrorKind.CONTINUITY_ENCODER])
        text = (
            f"continuity errors without a lost packet in {_count(encoder_s, 'second')}, the last at {last}: "
            "the far end's encoder, not the network"
        )
        found.append(_Finding(VerdictSeverity.FAULT, text))
    if network_s := seconds.get(ErrorKind.CONTINUITY_NETWORK, 0):
        text = f"continuity errors together with lost packets in {_count(network_s, 'second')}: the network"
        found.append(_Finding(VerdictSeverity.FAULT, text))
    return found


def _timing(reception: Reception) -> list[_Finding]:
    found = []
    late, gauges = reception.lateness, reception.second.gauges
    is_held_up = ErrorKind.HELD_UP in reception.error_seconds
    if late is not None and late.p99 > _LATE_P99_MS and not is_held_up and reception.longest_freeze_at is None:
        text = f"1 packet in 100 comes out more than {late.p99:.0f} ms late"
        found.append(_Finding(VerdictSeverity.ATTENTION, text))
    lowest_ms = reception.lowest_headroom_ms
    if lowest_ms is not None and gauges.latency_ms and lowest_ms < gauges.latency_ms * _HEADROOM_PART:
        text = f"the receive buffer fell to {lowest_ms} of {gauges.latency_ms} ms: raise the latency"
        found.append(_Finding(VerdictSeverity.ATTENTION, text))
    return found


def _own(reception: Reception, say_time: SayTime) -> list[_Finding]:
    if (at := reception.last_error_at.get(ErrorKind.HELD_UP)) is None:
        return []
    seconds = reception.error_seconds[ErrorKind.HELD_UP]
    text = f"this host was too busy to receive on time in {_count(seconds, 'second')}, the last at {say_time(at)}"
    return [_Finding(VerdictSeverity.ATTENTION, text)]


def _seconds(duration_ms: float) -> str:
    return f"{duration_ms / 1000:.1f} s"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
