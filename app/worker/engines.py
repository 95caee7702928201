"""Which engine carries a job. Engines are imported only here and only when needed: GStreamer is memory and time."""

from __future__ import annotations

from typing import assert_never

from app.domain.endings import CannotSend
from app.domain.spec import Engine, ReceiveSpec, SendSpec, engine_of
from app.domain.status import Reason
from app.protocol import Job, Tell
from app.worker.engine import Sender


def build_engine(job: Job, tell: Tell) -> Sender:
    """Build the engine that a job's spec asks for. Raises CannotSend."""
    engine = engine_of(job.spec)
    match engine:
        case Engine.GSTREAMER:
            from app.engines.gstreamer.pipeline import GstSender

            return GstSender(job, send_spec_of(job), tell)
        case Engine.DIRECT:
            from app.engines.direct.sender import DirectSender

            return DirectSender(job, send_spec_of(job), tell)
        case Engine.RECEIVER:
            from app.engines.receiver.engine import ReceiverEngine

            return ReceiverEngine(job, receive_spec_of(job), tell)
        case Engine.RELAY:
            raise CannotSend(Reason.BAD_OPTION, f"this version has no {engine.value} engine")
        case _:
            assert_never(engine)


def send_spec_of(job: Job) -> SendSpec:
    """The spec of a job that a sending engine carries. Raises CannotSend for another."""
    if not isinstance(job.spec, SendSpec):
        raise CannotSend(Reason.BAD_OPTION, "a sending engine carries send streams only")
    return job.spec


def receive_spec_of(job: Job) -> ReceiveSpec:
    """The spec of a job that the receiver carries. Raises CannotSend for another."""
    if not isinstance(job.spec, ReceiveSpec):
        raise CannotSend(Reason.BAD_OPTION, "the receiver carries receive streams only")
    return job.spec
