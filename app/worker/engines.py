"""Selects and builds the engine for a job. An engine is imported only when needed: GStreamer costs memory and time."""

from __future__ import annotations

from typing import Final, assert_never

import msgspec

from app.domain.carriage import Hindrance, choose_engine, needs_a_look
from app.domain.endings import CannotSend
from app.domain.spec import Engine, MulticastSource, ReceiveSpec, RelaySpec, SendSpec, engine_of
from app.domain.status import Reason
from app.protocol import Job, Notify
from app.worker.engine import Sender

GI_REMEDY: Final = "install python3-gi and GStreamer's packages: ./run.sh and scripts/packages.sh do it"


def build_engine(job: Job, notify: Notify) -> Sender:
    """Build the engine that carries a job's spec. Raises CannotSend."""
    job = _with_engine(job)
    engine = job.engine or engine_of(job.spec)
    match engine:
        case Engine.GSTREAMER:
            return _build_gstreamer(job, notify)
        case Engine.DIRECT:
            from app.engines.direct.sender import DirectSender

            return DirectSender(job, send_spec_of(job), notify)
        case Engine.RECEIVER:
            from app.engines.receiver.engine import ReceiverEngine

            return ReceiverEngine(job, receive_spec_of(job), notify)
        case Engine.RELAY:
            from app.engines.relay.engine import RelayEngine

            return RelayEngine(job, relay_spec_of(job), notify)
        case _:
            assert_never(engine)


def _build_gstreamer(job: Job, notify: Notify) -> Sender:
    try:
        from app.engines.gstreamer.pipeline import GstSender
    except (ImportError, ValueError) as error:  # gi raises ValueError for a library without its description
        raise CannotSend(Reason.MISSING_ELEMENT, f"{error}; {GI_REMEDY}") from error
    return GstSender(job, send_spec_of(job), notify)


def _with_engine(job: Job) -> Job:
    """Return the job with its engine.

    If that depends on a group, read the group for half a second. Raises CannotSend.
    """
    spec = job.spec
    if job.engine is not None or not isinstance(spec, SendSpec):
        return job
    hindrances: set[Hindrance] = set()
    if needs_a_look(spec, "auto") and isinstance(spec.source, MulticastSource):
        from app.sources.group_look import look_at_group

        hindrances = look_at_group(spec.source)
    choice = choose_engine(spec, "auto", hindrances)
    return msgspec.structs.replace(job, engine=choice.engine, engine_reason=choice.why)


def send_spec_of(job: Job) -> SendSpec:
    """Return the spec of a job for a sending engine. Raises CannotSend for another kind of job."""
    if not isinstance(job.spec, SendSpec):
        raise CannotSend(Reason.BAD_OPTION, "a sending engine carries send streams only")
    return job.spec


def receive_spec_of(job: Job) -> ReceiveSpec:
    """Return the spec of a job for the receiver. Raises CannotSend for another kind of job."""
    if not isinstance(job.spec, ReceiveSpec):
        raise CannotSend(Reason.BAD_OPTION, "the receiver carries receive streams only")
    return job.spec


def relay_spec_of(job: Job) -> RelaySpec:
    """Return the spec of a job for the relay. Raises CannotSend for another kind of job."""
    if not isinstance(job.spec, RelaySpec):
        raise CannotSend(Reason.BAD_OPTION, "the relay engine carries relays only")
    return job.spec
