"""Both directions of an impaired link and what happens to them at set times."""

from __future__ import annotations

from typing import Final, Literal, assert_never

from app.domain.impairment.model import DirectionImpairment, Impairment, OutageEvent, RebindEvent
from app.domain.impairment.schedule import Path

Direction = Literal["to_target", "to_caller"]
DIRECTIONS: Final[tuple[Direction, Direction]] = ("to_target", "to_caller")
_S: Final = 1_000_000_000
_MS: Final = 1_000_000
_UNTOUCHED: Final = DirectionImpairment()


class ImpairedLink:
    """The schedule of a relay. Both directions begin with the first datagram of either."""

    def __init__(self, impairment: Impairment) -> None:
        self._begun = False
        self._rebinds_ns: list[int] = []
        self.impairment = impairment
        self.paths: dict[Direction, Path] = {
            direction: Path(
                _settings(impairment, direction),
                seed=f"{impairment.seed} {direction}",
                event_speed=impairment.event_speed,
            )
            for direction in DIRECTIONS
        }

    def decide(self, direction: Direction, size: int, at_ns: int) -> tuple[int, ...]:
        """Return when a datagram leaves, as `Path.decide` does."""
        if not self._begun:
            self._begin(at_ns)
        return self.paths[direction].decide(size, at_ns)

    def change(self, impairment: Impairment, at_ns: int) -> None:
        """Change to another impairment without interruption.

        Its events count from now. The random sequences continue.
        """
        self.impairment = impairment
        for direction, path in self.paths.items():
            path.change(_settings(impairment, direction), event_speed=impairment.event_speed, at_ns=at_ns)
        self._begin(at_ns)

    def cut(self, direction: Direction | Literal["both"], from_ns: int, for_ms: float) -> None:
        """Block all datagrams for a time."""
        until_ns = from_ns + round(for_ms * _MS)
        for name, path in self.paths.items():
            if direction in ("both", name):
                path.cut(from_ns, until_ns)

    def is_rebinding_due(self, at_ns: int) -> bool:
        """Whether callers must appear from other ports now. True once for each rebinding."""
        due = [rebind_ns for rebind_ns in self._rebinds_ns if rebind_ns <= at_ns]
        self._rebinds_ns = [rebind_ns for rebind_ns in self._rebinds_ns if rebind_ns > at_ns]
        return bool(due)

    def _begin(self, at_ns: int) -> None:
        self._begun = True
        self._rebinds_ns.clear()
        for path in self.paths.values():
            path.begin_at(at_ns)
        for event in self.impairment.events:
            match event:
                case OutageEvent():
                    self.cut(event.direction, at_ns + round(event.at_s * _S), event.for_ms)
                case RebindEvent():
                    self._rebinds_ns.append(at_ns + round(event.at_s * _S))
                case _:
                    assert_never(event)


def _settings(impairment: Impairment, direction: Direction) -> DirectionImpairment:
    match direction:
        case "to_target":
            return impairment.to_target or _UNTOUCHED
        case "to_caller":
            return impairment.to_caller or _UNTOUCHED
        case _:
            assert_never(direction)
