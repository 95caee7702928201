"""Narrows the spec of a job for a test that knows its kind."""

from __future__ import annotations

from app.domain.spec import JobSpec, SendSpec
from app.domain.spec import ListenerEndpoint as Listener


def sent(spec: JobSpec) -> SendSpec:
    """The same spec, of a stream that sends."""
    assert isinstance(spec, SendSpec)
    return spec


def listener_port(spec: JobSpec) -> int:
    """The port that a sending listener waits on."""
    endpoint = sent(spec).endpoint
    assert isinstance(endpoint, Listener)
    return endpoint.port
