"""What an operator orders: the spec of each kind of stream, its parts and their rules."""

from app.domain.spec.endpoint import CallerEndpoint, Endpoint, HostPort, ListenerEndpoint, Mode
from app.domain.spec.job import Engine, JobSpec, engine_of, latency_ms_of
from app.domain.spec.parse import (
    parse_impairment,
    parse_part,
    parse_spec,
    public_spec,
    with_direction,
    without_direction,
)
from app.domain.spec.receive import Forward, ReceiveSpec, Record
from app.domain.spec.relay import RelaySpec, Target
from app.domain.spec.send import SendSpec
from app.domain.spec.source import BarsSource, FileSource, MulticastSource, Source
from app.domain.spec.srt_settings import Encryption

__all__ = [
    "BarsSource",
    "CallerEndpoint",
    "Encryption",
    "Endpoint",
    "Engine",
    "FileSource",
    "Forward",
    "HostPort",
    "JobSpec",
    "ListenerEndpoint",
    "Mode",
    "MulticastSource",
    "ReceiveSpec",
    "Record",
    "RelaySpec",
    "SendSpec",
    "Source",
    "Target",
    "engine_of",
    "latency_ms_of",
    "parse_impairment",
    "parse_part",
    "parse_spec",
    "public_spec",
    "with_direction",
    "without_direction",
]
