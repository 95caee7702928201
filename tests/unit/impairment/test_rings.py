"""Relays whose datagrams would come back to them are refused, through however many relays that goes."""

from __future__ import annotations

import pytest

from app.domain.errors import InvalidInput
from app.domain.snapshot import Snapshot
from app.domain.spec import RelaySpec, Target
from app.domain.status import Phase
from app.streams.relays import check_relay
from tests.web.fake_streams import make_snapshot


def relay(listen_port: int, target_port: int, host: str = "127.0.0.1") -> RelaySpec:
    return RelaySpec(listen_port, Target(host, target_port))


def running(*specs: RelaySpec) -> list[Snapshot]:
    return [make_snapshot(f"relay{spec.listen_port}", spec, Phase.WAITING) for spec in specs]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost"])
@pytest.mark.parametrize(
    ("others", "wanted"),
    [
        ([], (9000, 9000)),
        ([(9001, 9000)], (9000, 9001)),
        ([(9001, 9002), (9002, 9003), (9003, 9000)], (9000, 9001)),
        # A ring that is there already, which a change of an address may have closed, is not entered.
        ([(9001, 9002), (9002, 9001)], (9000, 9001)),
    ],
    ids=["itself", "a pair", "four", "another ring"],
)
def test_a_ring_of_relays_is_refused_at_the_target_port(
    host: str, others: list[tuple[int, int]], wanted: tuple[int, int]
) -> None:
    there = running(*(relay(*ports, host=host) for ports in others))
    with pytest.raises(InvalidInput) as refused:
        check_relay(relay(*wanted, host=host), there, "private")
    assert list(refused.value.fields) == ["target.port"]
    assert "leads back to this relay" in refused.value.fields["target.port"]


def test_relays_one_after_the_other_are_allowed() -> None:
    check_relay(relay(9000, 9001), running(relay(9001, 9002), relay(9002, 10001)), "private")


def test_the_same_port_of_another_host_is_no_ring() -> None:
    check_relay(relay(9000, 9000, host="10.255.255.254"), running(relay(9001, 9000)), "private")
