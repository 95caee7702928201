"""Decides which datagrams are lost: the loss models, each with its own random sequence."""

from __future__ import annotations

import math
from random import Random
from typing import Final, assert_never

from app.domain.impairment.model import Bursts, FourProbabilities

_NS_PER_MS: Final = 1_000_000


class BurstLoss:
    """Loses datagrams by a good and a bad state, which changes with each datagram or with each millisecond."""

    def __init__(self, model: FourProbabilities, chance: Random) -> None:
        self._chance = chance
        self._enter = model.good_to_bad_percent / 100
        self._leave = model.bad_to_good_percent / 100
        self._loss_in_bad = model.loss_in_bad_percent / 100
        self._loss_in_good = model.loss_in_good_percent / 100
        self._by_time = model.per == "millisecond"
        self._is_bad = False
        self._seen_ns: int | None = None

    def takes(self, at_ns: int) -> bool:
        """Whether the datagram that arrives at `at_ns` is lost."""
        leaves_its_state = self._chance.random() < self._probability_to_change(at_ns)
        self._is_bad ^= leaves_its_state
        loss = self._loss_in_bad if self._is_bad else self._loss_in_good
        return self._chance.random() < loss

    def _probability_to_change(self, at_ns: int) -> float:
        once = self._leave if self._is_bad else self._enter
        if not self._by_time:
            return once
        elapsed_ms = 0.0 if self._seen_ns is None else (at_ns - self._seen_ns) / _NS_PER_MS
        self._seen_ns = at_ns
        both = self._enter + self._leave
        if both == 0:
            return 0.0
        # A two-state chain after t steps: the share of the other state, times 1 - (1 - both)^t.
        remaining = 0.0 if both >= 1 else math.pow(1 - both, elapsed_ms)
        return once / both * (1 - remaining)


def burst_loss(model: Bursts | FourProbabilities, chance: Random) -> BurstLoss:
    """Make the model that an operator chose."""
    match model:
        case FourProbabilities():
            return BurstLoss(model, chance)
        case Bursts():
            return BurstLoss(as_probabilities(model), chance)
        case _:
            assert_never(model)


def as_probabilities(bursts: Bursts) -> FourProbabilities:
    """Return Gilbert's probabilities: a burst ends with 1 / mean length; the loss determines how often one begins."""
    leave = 100 / bursts.mean_burst
    enter = leave * bursts.loss_percent / (100 - bursts.loss_percent)
    return FourProbabilities(good_to_bad_percent=enter, bad_to_good_percent=leave)
