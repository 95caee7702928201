"""Carries out a network test: selects a server, then measures RTT, bandwidth and loss.

Runs in the tester's own thread and may take a minute. The cancel switch ends every program in it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import msgspec

from app.domain.advice.recommendation import Basis, Figure
from app.domain.network_order import NetworkTestOrder
from app.domain.places import Point, distance_km
from app.network.findings import Attempt, Findings, Target
from app.network.geo import ExternalPlaceFinder, PlaceUnknown
from app.network.iperf_servers import Origin, Server, ServerList, is_public
from app.probes.handshake import handshake_rtt_ms
from app.probes.iperf3 import Direction, Iperf3Order, Iperf3Result, Protocol, ServerBusy, iperf3
from app.probes.ping import PingResult, ping
from app.probes.resolve import resolve
from app.probes.run import CancelSwitch, ProbeFailed, ProgramMissing, TimedOut

NEAREST_CONSIDERED: Final = 6
OWN_CONSIDERED: Final = 10
_SERVERS_TRIED: Final = 4
_PORTS_TRIED: Final = 3
_QUICK_PINGS: Final = 3
_HANDSHAKES: Final = 3
_UDP_TRIES: Final = 3

T = TypeVar("T")
Report = Callable[[Findings, str], None]


class CannotTest(Exception):
    """The test cannot continue; the text says why and what else can be done. `findings` has the results so far."""

    def __init__(self, message: str, findings: Findings) -> None:
        super().__init__(message)
        self.message = message
        self.findings = findings


class Measurer:
    """Carries out orders. `report` is called for each step with the findings so far."""

    def __init__(self, servers: ServerList, places: ExternalPlaceFinder, *, offline: bool) -> None:
        self._servers, self._places, self._offline = servers, places, offline

    def measure(self, order: NetworkTestOrder, cancel: CancelSwitch, report: Report) -> Findings:
        """Return the findings. Raises CannotTest if nothing could be measured, and Cancelled once `cancel` is set."""
        run = _Run(order, cancel, report)
        if order.mode == "manual":
            return run.test_by_hand()
        report(Findings(), "Finding the location of this host and the server list")
        place, no_place = self._find_place()
        if not self._offline:
            self._servers.refresh()
        findings = Findings(place=place.label if place else None)
        candidates = self._candidates(order, place.point if place else None)
        if not candidates:
            raise CannotTest(self._why_no_server(order, no_place), findings)
        if no_place and order.mode == "closest":
            findings = msgspec.structs.replace(findings, notes=(f"Only own servers were considered: {no_place}.",))
        return run.test_nearest(candidates, findings, place.point if place else None)

    def _find_place(self) -> tuple[_Place | None, str]:
        try:
            found = self._places.find()
        except PlaceUnknown as error:
            return None, f"the location of this host is unknown: {error}"
        if found.point is None:
            return _Place(found.label(), None), "the location service returned no location"
        return _Place(found.label(), found.point), ""

    def _candidates(self, order: NetworkTestOrder, here: Point | None) -> list[Server]:
        """Return own servers first, then the nearest public ones.

        If no place is known, public ones of a region at random.
        """
        own, public = self._servers.own(), [] if self._offline else self._servers.public()
        if order.mode == "regional":
            own = [server for server in own if server.region == order.region]
            public = [server for server in public if server.region == order.region]
        if here is not None:
            placed = [(distance_km(here, server.point), server) for server in public if server.point is not None]
            nearest = [server for _, server in sorted(placed, key=lambda pair: pair[0])][:NEAREST_CONSIDERED]
        elif order.mode == "regional":
            nearest = _any_of(public, NEAREST_CONSIDERED)
        else:
            nearest = []
        return own[:OWN_CONSIDERED] + nearest

    def _why_no_server(self, order: NetworkTestOrder, no_place: str) -> str:
        if order.mode == "regional":
            offline = " that may be used (OFFLINE=1)" if self._offline else ""
            return f"No server is known in {order.region}{offline}. Choose My server, or add your own."
        reason = no_place or "no server is known"
        return f"The closest server cannot be chosen: {reason}. Choose My server, or add your own."


class _Place(msgspec.Struct, frozen=True):
    label: str
    point: Point | None


class _Run:
    """The steps of one test, each reported before it begins."""

    def __init__(self, order: NetworkTestOrder, cancel: CancelSwitch, report: Report) -> None:
        self._order, self._cancel, self._report = order, cancel, report

    def test_by_hand(self) -> Findings:
        order = self._order
        findings = Findings(target=Target(order.host, order.port))
        self._report(findings, f"Looking up {order.host}")
        try:
            address = resolve(order.host, cancel=self._cancel)
        except ProbeFailed as error:
            raise CannotTest(f"{error.message}.", findings) from error
        findings = msgspec.structs.replace(findings, target=Target(order.host, order.port, address))
        findings = self._measure_rtt(findings, address, order.port)
        try:
            return self._measure_bandwidth(findings, address, range(order.port, order.port + 1))
        except ProbeFailed as error:
            if findings.rtt_ms is None:
                raise CannotTest(f"{error.message}.", findings) from error
            return findings.with_problem(f"Bandwidth and loss were not measured: {error.message}.")

    def test_nearest(self, candidates: Sequence[Server], findings: Findings, here: Point | None) -> Findings:
        """Measure with the server of the smallest RTT. If it does not work, try the next one."""
        self._report(findings, f"Comparing the round-trip times of {len(candidates)} servers")
        attempts, reached = self._compare(candidates, here)
        findings = msgspec.structs.replace(findings, attempts=attempts)
        for server, address in reached[:_SERVERS_TRIED]:
            target = Target(server.host, server.port_first, address, server_label(server), server.origin)
            target = msgspec.structs.replace(target, distance_km=_distance(server, here))
            begun = msgspec.structs.replace(findings, target=target)
            begun = self._measure_rtt(begun, address, server.port_first)
            try:
                return self._measure_bandwidth(begun, address, range(server.port_first, server.port_last + 1))
            except ProgramMissing as error:
                raise CannotTest(f"{error.message}.", begun) from error
            except ProbeFailed as error:
                findings = msgspec.structs.replace(findings, attempts=_marked(findings.attempts, server, error.message))
        tried = "None of the servers answered" if not reached else "None of the servers that answer could be used"
        last = next((attempt.problem for attempt in reversed(findings.attempts) if attempt.problem), "no reason known")
        raise CannotTest(f"{tried}; the last one: {last}. Choose My server.", findings)

    def _compare(
        self, candidates: Sequence[Server], here: Point | None
    ) -> tuple[tuple[Attempt, ...], list[tuple[Server, str]]]:
        """Try all servers at once. Return all attempts by RTT, and the servers that answered with their addresses."""
        with ThreadPoolExecutor(max_workers=len(candidates)) as pool:
            results = list(pool.map(self._reach, candidates))
        ranked = sorted(
            zip(candidates, results, strict=True),
            key=lambda pair: pair[1].rtt_ms if pair[1].rtt_ms is not None else float("inf"),
        )
        attempts = tuple(
            Attempt(
                server.host,
                server.port_first,
                server_label(server),
                _distance(server, here),
                reached.rtt_ms,
                reached.problem,
            )
            for server, reached in ranked
        )
        return attempts, [(server, reached.address) for server, reached in ranked if reached.rtt_ms is not None]

    def _reach(self, server: Server) -> _Reached:
        try:
            address = resolve(server.host, cancel=self._cancel)
            if server.origin is Origin.LISTED and not is_public(address):
                return _Reached("", None, "the public list names a host of a private network")
            found = self._try_ping(address, _QUICK_PINGS)
            if found is not None and found.rtt is not None:
                return _Reached(address, found.rtt.avg_ms, None)
        except ProbeFailed as error:
            return _Reached("", None, error.message)
        rtt_ms = handshake_rtt_ms(address, server.port_first)
        return _Reached(address, rtt_ms, None if rtt_ms is not None else "no answer to ping or TCP")

    def _try_ping(self, address: str, count: int) -> PingResult | None:
        """Return the replies to some pings, None if ping cannot be used here."""
        try:
            return ping(address, count=count, cancel=self._cancel)
        except ProbeFailed:
            return None

    def _measure_rtt(self, findings: Findings, address: str, port: int) -> Findings:
        self._report(findings, "Measuring the round-trip time with ping")
        try:
            found = ping(address, cancel=self._cancel)
        except ProbeFailed as error:
            findings = findings.with_problem(f"No ping: {error.message}.")
        else:
            findings = msgspec.structs.replace(findings, ping=found)
            if found.rtt is not None:
                source = f"ping, {found.received} replies to {found.sent}"
                return msgspec.structs.replace(findings, rtt_ms=Figure(found.rtt.avg_ms, Basis.MEASURED, source))
        self._report(findings, "No reply to ping; measuring the round-trip time with TCP")
        answered: list[float] = []
        while len(answered) < _HANDSHAKES and (time_ms := handshake_rtt_ms(address, port)) is not None:
            answered.append(time_ms)
        if not answered:
            return findings.with_problem("The host answers neither ping nor TCP: its round-trip time is unknown.")
        source = f"TCP handshake, quickest of {len(answered)}; no reply to ping"
        return msgspec.structs.replace(findings, rtt_ms=Figure(min(answered), Basis.MEASURED, source))

    def _measure_bandwidth(self, findings: Findings, address: str, ports: Sequence[int]) -> Findings:
        order = self._order
        chosen = _any_of(ports, _PORTS_TRIED)
        for port in chosen:
            if findings.target is not None:
                findings = msgspec.structs.replace(findings, target=msgspec.structs.replace(findings.target, port=port))
            at = f" at {order.bitrate_mbps:g} Mb/s" if order.protocol == "udp" else ""
            self._report(findings, f"Running iperf3 over {order.protocol.upper()}{at} for {order.duration_s} s")
            probe = Iperf3Order(
                address=address,
                port=port,
                protocol=Protocol(order.protocol),
                direction=Direction(order.direction),
                duration_s=order.duration_s,
                bitrate_bps=order.bitrate_bps,
                rtt_ms=findings.rtt_ms.value if findings.rtt_ms else 0.0,
            )
            try:
                return msgspec.structs.replace(findings, iperf3=self._run_iperf3(probe, findings))
            except ServerBusy:
                if port == chosen[-1]:
                    raise
        raise AssertionError("no port to try")

    def _run_iperf3(self, probe: Iperf3Order, findings: Findings) -> Iperf3Result:
        """Run iperf3. Repeat a UDP test that hangs, which happens if its first packet or the answer was lost."""
        for _ in range(_UDP_TRIES - 1 if probe.protocol is Protocol.UDP else 0):
            try:
                return iperf3(probe, cancel=self._cancel)
            except TimedOut:
                self._report(findings, "iperf3 hung, probably because its first packet was lost; running it again")
        return iperf3(probe, cancel=self._cancel)


class _Reached(msgspec.Struct, frozen=True):
    address: str
    rtt_ms: float | None
    problem: str | None


def server_label(server: Server) -> str:
    """Return a server's place and owner in a few words."""
    place = ", ".join(part for part in (server.site, server.country) if part)
    return " · ".join(part for part in (place, server.provider) if part)


def _distance(server: Server, here: Point | None) -> float | None:
    return None if here is None or server.point is None else distance_km(here, server.point)


def _marked(attempts: tuple[Attempt, ...], server: Server, problem: str) -> tuple[Attempt, ...]:
    return tuple(
        msgspec.structs.replace(attempt, problem=problem)
        if (attempt.host, attempt.port) == (server.host, server.port_first)
        else attempt
        for attempt in attempts
    )


def _any_of(things: Sequence[T], count: int) -> list[T]:
    """Return up to `count` servers at random, so that the load is spread over them."""
    return random.sample(list(things), min(count, len(things)))
