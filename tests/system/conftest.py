"""What the fault campaign needs: a stream that many can carry on a small machine, and a product to be hurt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.instruments.product import Product
from tests.instruments.sample import make_sample


@pytest.fixture(scope="session")
def light_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half the usual bitrate: many streams on a small machine."""
    return make_sample(tmp_path_factory.mktemp("light") / "bars.ts", seconds=10, bitrate_bps=4_000_000)


@pytest.fixture
def own(light_sample: Path) -> Iterator[Product]:
    """A product of the test's own, which the test may end, starve or break."""
    with Product(light_sample) as product:
        yield product


@pytest.fixture(scope="session")
def short_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds, so that a loop begins again soon."""
    return make_sample(tmp_path_factory.mktemp("short") / "short.ts", seconds=2, bitrate_bps=4_000_000)
