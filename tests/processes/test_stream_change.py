"""Changing a stream: same key, other settings; a spec that is refused leaves the stream as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.domain.errors import InvalidInput, NotFound, PortInUse
from app.domain.spec import FileSource, ListenerEndpoint, SendSpec
from app.domain.status import Order, Phase
from tests.instruments.child import is_alive
from tests.instruments.manager import OwnManager
from tests.instruments.worker import FAKE


@pytest.fixture
def own(sample: Path) -> Iterator[OwnManager]:
    with OwnManager(media=sample, command=FAKE) as made:
        yield made


def spec_of(own: OwnManager, key: str) -> SendSpec:
    spec = own.manager.get(key).spec
    assert isinstance(spec, SendSpec)
    return spec


def test_a_stream_on_air_restarts_with_its_new_settings_under_its_key_and_port(own: OwnManager) -> None:
    before = own.manager.start(own.spec())
    after = own.manager.change(before.key, msgspec.structs.replace(spec_of(own, before.key), latency_ms=500))
    assert (after.key, spec_of(own, before.key).latency_ms) == (before.key, 500)
    assert after.spec.local_port() == before.spec.local_port()
    assert after.status.phase in (Phase.WAITING, Phase.DELIVERING)
    assert after.worker_pid != before.worker_pid
    assert "settings changed" in [entry.text for entry in own.manager.events(key=before.key)]


def test_the_next_process_knows_the_new_settings(own: OwnManager) -> None:
    key = own.manager.start(own.spec()).key
    own.manager.change(key, msgspec.structs.replace(spec_of(own, key), latency_ms=500))
    own.manager.detach()
    own.manager = own.new_manager()
    assert spec_of(own, key).latency_ms == 500


def test_a_new_name_alone_interrupts_nothing(own: OwnManager) -> None:
    before = own.manager.start(own.spec())
    after = own.manager.change(before.key, msgspec.structs.replace(spec_of(own, before.key), name="Line-up"))
    assert (after.spec.name, after.worker_pid) == ("Line-up", before.worker_pid)


def test_a_stopped_stream_takes_new_settings_and_stays_stopped(own: OwnManager) -> None:
    key = own.manager.start(own.spec()).key
    own.manager.stop(key)
    after = own.manager.change(key, msgspec.structs.replace(spec_of(own, key), latency_ms=500))
    assert (after.status.order, after.status.phase) == (Order.STOP, Phase.STOPPED)
    assert spec_of(own, key).latency_ms == 500


def test_settings_that_are_refused_leave_the_stream_on_air_as_it_was(own: OwnManager) -> None:
    before = own.manager.start(own.spec())
    other = own.manager.start(own.spec(port=own.ports[1]))
    spec = spec_of(own, before.key)
    with pytest.raises(InvalidInput):
        own.manager.change(before.key, msgspec.structs.replace(spec, source=FileSource("missing.ts")))
    with pytest.raises(PortInUse):
        own.manager.change(before.key, msgspec.structs.replace(spec, endpoint=ListenerEndpoint(own.ports[1])))
    after = own.manager.get(before.key)
    assert (after.spec, after.worker_pid) == (spec, before.worker_pid)
    assert after.worker_pid is not None
    assert is_alive(after.worker_pid)
    assert own.manager.get(other.key).worker_pid == other.worker_pid


def test_a_stream_that_is_not_there_cannot_be_changed(own: OwnManager) -> None:
    with pytest.raises(NotFound):
        own.manager.change("unknown", own.spec())


def test_a_new_group_alone_interrupts_nothing_and_the_next_process_knows_it(own: OwnManager) -> None:
    before = own.manager.start(own.spec())
    after = own.manager.change(before.key, msgspec.structs.replace(spec_of(own, before.key), group="Match day"))
    assert (after.spec.group, after.worker_pid) == ("Match day", before.worker_pid)
    own.manager.detach()
    own.manager = own.new_manager()
    assert own.manager.get(before.key).spec.group == "Match day"
