"""Faults that the operator can correct in the order of a stream: errors of the form or request, not of the stream."""

from __future__ import annotations

from typing import Final, NoReturn

from app.domain.errors import CouldNotStart, InvalidInput, NotFound, PortInUse
from app.domain.snapshot import Snapshot
from app.domain.spec import FileSource, JobSpec, RelaySpec, SendSpec
from app.domain.status import NOT_RETRIABLE, Phase, Reason, Status
from app.media.library import NO_SUCH_FILE
from app.words.states import reason_text, remedy_text

# Faults of a first try that the operator corrects in the form; the same faults of a later try are retried.
_FORM_FAULTS: Final = NOT_RETRIABLE | {Reason.PORT_IN_USE, Reason.HOST_NOT_FOUND, Reason.INTERFACE_MISSING}
_FIELD_OF_FAULT: Final = {
    Reason.PORT_IN_USE: "endpoint.port",
    Reason.HOST_NOT_FOUND: "endpoint.host",
    Reason.FILE_MISSING: "source.path",
    Reason.FILE_UNREADABLE: "source.path",
    Reason.NOT_A_TRANSPORT_STREAM: "source.path",
    Reason.NO_PCR: "source.path",
    Reason.SCRAMBLED: "source.path",
    Reason.RUNAWAY: "source.path",
    Reason.INTERFACE_MISSING: "source.interface",
    Reason.TARGET_REFUSED: "target.host",
}

_FIELD_OF_RELAY: Final = {"endpoint.port": "listen_port", "endpoint.host": "target.host"}


def is_form_fault(status: Status) -> bool:
    """Whether a stream that was just started failed because of something that the operator can correct."""
    return status.reason in _FORM_FAULTS and status.phase in (Phase.FAILED, Phase.BACKING_OFF)


def raise_form_fault(snapshot: Snapshot) -> NoReturn:
    """Raise the error for a stream that failed at its first try."""
    reason = snapshot.status.reason
    if reason is None:
        raise NotFound(snapshot.key)
    message = f"could not start: {reason_text(reason)}"
    field = _FIELD_OF_FAULT.get(reason)
    if isinstance(snapshot.spec, RelaySpec):
        message = f"{message}: {snapshot.detail}"
        field = _FIELD_OF_RELAY.get(field or "", field)
    fields = {field: f"{message}. {remedy_text(reason)}"} if field else {}
    if reason is Reason.PORT_IN_USE:
        raise PortInUse(message, fields)
    if reason in (Reason.NOT_A_TRANSPORT_STREAM, Reason.NO_PCR):
        raise InvalidInput(message, fields)
    raise CouldNotStart(message, fields, reason=reason)


def raise_cannot_start_again(fault: InvalidInput, spec: JobSpec) -> NoReturn:
    """Raise the fault of a stream's stored settings as a sentence, because no form shows it next to a field."""
    if isinstance(spec, SendSpec) and isinstance(spec.source, FileSource) and "source.path" in fault.fields:
        text = fault.fields["source.path"]
        what = "it is no longer in the media folder." if text == NO_SUCH_FILE else text
        raise InvalidInput(f"Cannot start {spec.source.path}: {what}", fault.fields) from fault
    raise InvalidInput(f"Cannot start: {fault.message}", fault.fields) from fault


def check_spec_is_known(snapshot: Snapshot) -> None:
    """Refuse a stream whose stored settings cannot be read: it might differ from what was ordered."""
    if not snapshot.is_spec_known:
        raise CouldNotStart(
            "this version cannot read the stored settings of this stream; dismiss it and start it as a new stream",
            reason=Reason.SPEC_UNREADABLE,
        )


def check_passphrase(spec: JobSpec) -> None:
    """Refuse a stored stream whose passphrase cannot be read: it would go on air unencrypted."""
    if spec.encryption is not None and spec.encryption.passphrase.size_bytes() == 0:
        raise CouldNotStart(
            "SECRET_KEY was changed: the stored passphrase cannot be read; enter the passphrase again",
            {"encryption.passphrase": "enter it again, in a new stream"},
            reason=Reason.PASSPHRASE_LOST,
        )
