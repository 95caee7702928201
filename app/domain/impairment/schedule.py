"""Decides what happens to each datagram of one direction: when it leaves, or that it is lost and why.

Pure: the caller says when a datagram arrived. The same seed, settings and arrivals lead to the same decisions. Each
effect has its own random sequence, so that a change of one setting does not change the others.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from itertools import takewhile
from random import Random
from typing import Final

from app.domain.figures.relay import DirectionCounters
from app.domain.impairment.jitter import Jitter
from app.domain.impairment.loss import burst_loss
from app.domain.impairment.model import (
    SMALL_DATAGRAM_BYTES,
    UDP_IP_BYTES,
    DirectionImpairment,
)

_MS: Final = 1_000_000
_S: Final = 1_000_000_000


class Path:
    """One direction of a relay. `decide` is called once for each datagram, in the order of arrival."""

    def __init__(self, settings: DirectionImpairment, *, seed: str, event_speed: float = 1.0) -> None:
        """Draw from `seed`. Times begin with the first datagram."""
        self.counters = DirectionCounters()
        self._seed = seed
        self._chances: dict[str, Random] = {}
        self._started_ns: int | None = None
        self._outages_ns: list[tuple[int, int]] = []  # single outages that are not over, by their beginning
        self._free_at_ns = 0
        self._left_ns = 0
        self._ahead_ns: deque[int] = deque()  # departures that a later datagram may still overtake, earliest first
        self._latest_ns = 0
        self.change(settings, event_speed=event_speed)

    def change(self, settings: DirectionImpairment, *, event_speed: float = 1.0, at_ns: int | None = None) -> None:
        """Use other settings from now on; outages and route flaps count from `at_ns` again."""
        self.settings = settings
        self._started_ns = at_ns if at_ns is not None else self._started_ns
        self._loss = settings.loss_percent / 100
        self._random = self._chance("loss").random
        self._bursts = burst_loss(settings.bursts, self._chance("bursts")) if settings.bursts is not None else None
        jitter_ns = round(settings.jitter_ms * _MS)
        self._jitter = Jitter(jitter_ns, self._chance("jitter")) if jitter_ns else None
        self._delay_ns = round(settings.delay_ms * _MS)
        outage, flap = settings.outage, settings.route_flap
        self._outage_ns = (
            None if outage is None else (round(outage.every_s / event_speed * _S), round(outage.for_ms * _MS))
        )
        self._flap_ns = None if flap is None else (round(flap.every_s / event_speed * _S), round(flap.by_ms * _MS))

    def begin_at(self, at_ns: int) -> None:
        """Count outages, route flaps and jitter from this moment, unless counting has begun."""
        if self._started_ns is None:
            self._started_ns = at_ns

    def cut(self, from_ns: int, until_ns: int) -> None:
        """Block all datagrams between two moments."""
        insort(self._outages_ns, (from_ns, until_ns))

    def decide(self, size: int, at_ns: int) -> tuple[int, ...]:
        """Return when a datagram of `size` bytes leaves: twice for a duplicate, never for a loss. It came at `at_ns`.

        Kernel times of several sockets may be out of order by some microseconds. Time never runs back here.
        """
        counters = self.counters
        counters.datagrams += 1
        counters.bytes += size
        at_ns = self._latest_ns = max(at_ns, self._latest_ns)
        self.begin_at(at_ns)
        if self._is_lost(size, at_ns) or (through_ns := self._through_rate_limit(size, at_ns)) is None:
            counters.lost += 1
            return ()
        leaves_ns = max(self._left_ns, through_ns + self._delay_at(at_ns))
        self._left_ns = leaves_ns
        if leaves_ns > at_ns:
            counters.delayed += 1
        if self.settings.reorder_ms:
            leaves_ns += self._held_back_ns()
            self._count_overtaken(leaves_ns, at_ns)
        if self.settings.duplicate_percent and self._chance("duplicates").random() * 100 < (
            self.settings.duplicate_percent
        ):
            counters.duplicated += 1
            return (leaves_ns, leaves_ns)
        return (leaves_ns,)

    def queue_ms(self, at_ns: int) -> float:
        """Return how long a datagram that arrives now would wait before the rate limit."""
        return max(0, self._free_at_ns - at_ns) / _MS if self.settings.rate_mbps else 0.0

    def _is_lost(self, size: int, at_ns: int) -> bool:
        settings, counters = self.settings, self.counters
        # The random numbers are always drawn first, so that an outage does not shift the losses after it.
        by_chance = self._falls_to_chance(size, at_ns)
        if settings.mtu_bytes is not None and size + UDP_IP_BYTES > settings.mtu_bytes:
            counters.too_large += 1
        elif self._is_in_outage(at_ns):
            counters.in_outage += 1
        elif by_chance:
            counters.by_chance += 1
        else:
            return False
        return True

    def _falls_to_chance(self, size: int, at_ns: int) -> bool:
        wanted = self.settings.loss_of
        if wanted != "all" and (size < SMALL_DATAGRAM_BYTES) != (wanted == "small"):
            return False
        lost = bool(self._loss) and self._random() < self._loss
        return (self._bursts is not None and self._bursts.takes(at_ns)) or lost

    def _is_in_outage(self, at_ns: int) -> bool:
        while self._outages_ns and self._outages_ns[0][1] <= at_ns:
            del self._outages_ns[0]
        if any(ends_ns > at_ns for _, ends_ns in takewhile(lambda outage: outage[0] <= at_ns, self._outages_ns)):
            return True
        if self._outage_ns is None:
            return False
        every_ns, length_ns = self._outage_ns
        rounds, since_ns = divmod(self._since_start_ns(at_ns), every_ns)
        return rounds > 0 and since_ns < length_ns

    def _through_rate_limit(self, size: int, at_ns: int) -> int | None:
        rate_mbps = self.settings.rate_mbps
        if rate_mbps is None:
            return at_ns
        starts_ns = max(at_ns, self._free_at_ns)
        if starts_ns - at_ns > self.settings.queue_ms * _MS:
            self.counters.queue_full += 1
            return None
        self._free_at_ns = starts_ns + round((size + UDP_IP_BYTES) * 8 * 1_000 / rate_mbps)
        return self._free_at_ns

    def _delay_at(self, at_ns: int) -> int:
        since_ns = self._since_start_ns(at_ns)
        delay_ns = self._delay_ns
        if self._jitter is not None:
            delay_ns += self._jitter.at(since_ns)
        if self._flap_ns is not None:
            every_ns, by_ns = self._flap_ns
            delay_ns += by_ns if since_ns // every_ns % 2 else 0
        return delay_ns

    def _held_back_ns(self) -> int:
        chance = self._chance("reordering")
        if chance.random() * 100 >= self.settings.reorder_percent:
            return 0
        return round(chance.random() * self.settings.reorder_ms * _MS)

    def _count_overtaken(self, leaves_ns: int, at_ns: int) -> None:
        ahead_ns = self._ahead_ns
        while ahead_ns and ahead_ns[-1] > leaves_ns:
            ahead_ns.pop()
            self.counters.reordered += 1
        while ahead_ns and ahead_ns[0] <= at_ns:
            ahead_ns.popleft()
        ahead_ns.append(leaves_ns)

    def _since_start_ns(self, at_ns: int) -> int:
        return at_ns - (at_ns if self._started_ns is None else self._started_ns)

    def _chance(self, name: str) -> Random:
        """Return the random sequence of a purpose. Python guarantees the sequence of a text seed (version 2)."""
        if name not in self._chances:
            self._chances[name] = Random(f"{self._seed} {name}")  # noqa: S311 - reproducible is what it must be
        return self._chances[name]
