"""What the web layer may expect of a manager: the real one, with pretended workers, and the fake of the web tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from app.domain.errors import CouldNotStart, NotFound, PortInUse
from app.domain.secret import Secret
from app.domain.spec import BarsSource, CallerEndpoint, Encryption, ListenerEndpoint, SendSpec
from app.domain.status import ALIVE, Order, Phase
from app.web.services import Manager
from tests.instruments.manager import OwnManager
from tests.instruments.waiting import wait_for
from tests.instruments.worker import FAKE
from tests.web.fake_manager import PORTS, FakeManager


class House(NamedTuple):
    """A manager and the ports that its listeners may have."""

    manager: Manager
    ports: tuple[int, ...]

    def spec(self, number: int = 0, **fields: Any) -> SendSpec:
        endpoint = fields.pop("endpoint", ListenerEndpoint(self.ports[number]))
        return SendSpec(endpoint=endpoint, source=BarsSource(), **fields)

    def rests(self, key: str) -> None:
        """Wait until a stream is off air."""
        wait_for(lambda: self.manager.get(key).status.phase is Phase.STOPPED, deadline_s=20, what="a stopped stream")


@pytest.fixture(params=["fake", "real"])
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    if request.param == "fake":
        yield House(FakeManager(), PORTS)
        return
    with OwnManager(command=FAKE) as own:
        yield House(own.manager, own.ports)


def test_started_streams_are_listed_oldest_first_and_hold_their_ports(house: House) -> None:
    started = [house.manager.start(house.spec(number)).key for number in (1, 0)]
    assert [seen.key for seen in house.manager.list()] == started
    assert all(seen.status.phase in ALIVE and seen.status.order is Order.RUN for seen in house.manager.list())
    assert not set(house.ports[:2]) & set(house.manager.free_ports())


def test_a_taken_port_is_refused_by_its_field(house: House) -> None:
    house.manager.start(house.spec())
    with pytest.raises(PortInUse) as refused:
        house.manager.start(house.spec())
    assert set(refused.value.fields) == {"endpoint.port"}
    assert len(house.manager.list()) == 1


def test_a_host_that_does_not_exist_is_refused_by_its_field_and_leaves_nothing(house: House) -> None:
    with pytest.raises(CouldNotStart) as refused:
        house.manager.start(
            house.spec(endpoint=CallerEndpoint("no-such-host.invalid", 9000), name="cannot host_not_found")
        )
    assert set(refused.value.fields) == {"endpoint.host"}
    assert refused.value.reason == "host_not_found"
    assert house.manager.list() == []


def test_a_stopped_stream_stays_listed_frees_its_port_and_starts_again(house: House) -> None:
    key = house.manager.start(house.spec()).key
    assert house.manager.stop(key).status.order is Order.STOP
    house.rests(key)
    assert house.ports[0] in house.manager.free_ports()
    assert house.manager.restart(key).status.order is Order.RUN
    assert [seen.key for seen in house.manager.list()] == [key]


def test_a_stream_may_be_listed_without_going_on_air(house: House) -> None:
    key = house.manager.add_off_air(house.spec()).key
    assert house.manager.get(key).status.order is Order.STOP
    assert house.ports[0] in house.manager.free_ports()


def test_a_changed_stream_keeps_its_key(house: House) -> None:
    key = house.manager.start(house.spec(name="before")).key
    assert house.manager.change(key, house.spec(name="after", latency_ms=400)).key == key
    (seen,) = house.manager.list()
    assert isinstance(seen.spec, SendSpec)
    assert (seen.spec.name, seen.spec.latency_ms) == ("after", 400)


def test_a_dismissal_is_undone_once(house: House) -> None:
    key = house.manager.start(house.spec()).key
    house.manager.dismiss(key)
    assert house.manager.list() == []
    assert house.manager.undo_dismiss(key).key == key
    assert [seen.key for seen in house.manager.list()] == [key]


def test_the_passphrase_is_returned_where_there_is_one(house: House) -> None:
    secret = Encryption(256, Secret("correct horse battery"))
    keys = [house.manager.start(house.spec(0, encryption=secret)).key, house.manager.start(house.spec(1)).key]
    assert [house.manager.passphrase(key) for key in keys] == [Secret("correct horse battery"), None]


@pytest.mark.parametrize(
    "ask",
    [
        lambda manager: manager.get("nothing"),
        lambda manager: manager.stop("nothing"),
        lambda manager: manager.restart("nothing"),
        lambda manager: manager.dismiss("nothing"),
        lambda manager: manager.undo_dismiss("nothing"),
        lambda manager: manager.history("nothing", 60),
        lambda manager: manager.deliveries("nothing", 60),
        lambda manager: manager.picture("nothing"),
        lambda manager: manager.reset("nothing"),
        lambda manager: manager.debug("nothing"),
        lambda manager: manager.passphrase("nothing"),
    ],
)
def test_what_is_not_there_is_not_found(house: House, ask: Callable[[Manager], Any]) -> None:
    with pytest.raises(NotFound):
        ask(house.manager)


def test_a_manager_that_is_well_names_no_problem(house: House) -> None:
    assert house.manager.store_problem() is None
    assert house.manager.runtime_problem() is None
