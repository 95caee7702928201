"""Narrows the type of a job's spec, for tests that know its kind."""

from __future__ import annotations

from app.domain.spec import JobSpec, SendSpec
from app.domain.spec import ListenerEndpoint as Listener


def sent(spec: JobSpec) -> SendSpec:
    """Return the same spec as a SendSpec. Raises AssertionError for another kind."""
    assert isinstance(spec, SendSpec)
    return spec


def listener_port(spec: JobSpec) -> int:
    """Return the port of a send stream that is a listener. Raises AssertionError for another kind."""
    endpoint = sent(spec).endpoint
    assert isinstance(endpoint, Listener)
    return endpoint.port
