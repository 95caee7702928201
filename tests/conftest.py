"""Fixtures and settings that all tests share: the sample, the running product, and a profile of Hypothesis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.instruments.product import Product
from tests.instruments.sample import make_sample

# The tier of each folder of tests. `./test.sh TIER` runs one tier; a test can mark itself `campaign`.
TIERS = {
    "unit": "fast",
    "web": "fast",
    "house": "fast",
    "browser": "browser",
    "processes": "wire",
    "contract": "wire",
    "engine": "wire",
    "peers": "wire",
    "system": "wire",
    "campaigns": "campaign",
}

# The files that take longest, the longest first. If one of them started last, the whole run would wait for it alone.
LONGEST = (
    "system/test_hostile_api.py",
    "system/test_faults_streams.py",
    "system/test_adoption.py",
    "system/test_hostile_http.py",
    "system/test_faults_kills.py",
    "contract/test_worker.py",
    "system/test_faults_postgresql.py",
    "browser/test_every_page.py",
    "browser/test_every_stream_and_document.py",
    "browser/test_dashboard.py",
    "browser/test_operators_day.py",
    "browser/test_stream_page.py",
    "browser/test_forms.py",
    "browser/test_reception_page.py",
    "browser/test_line_up_page.py",
    "peers/test_multicast_silence.py",
    "system/test_line_up.py",
    "system/test_cluster_agent.py",
    "peers/test_network_test.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with its tier and sort the tests. Campaigns run only when `-m` is used.

    Tests that compute run first and tests that wait for real time run last, so that they do not compete for the
    processor. Within a tier, the files of LONGEST come first.
    """
    order = list(dict.fromkeys(TIERS.values()))
    files = {item: item.path.relative_to(Path(__file__).parent).as_posix() for item in items}
    tiers = {item: TIERS[file.partition("/")[0]] for item, file in files.items()}
    for item, tier in tiers.items():
        item.add_marker(tier)
    places = {file: place for place, file in enumerate(LONGEST)}
    items.sort(key=lambda item: (order.index(tiers[item]), places.get(files[item], len(LONGEST))))
    if not config.getoption("-m"):
        campaigns = [item for item in items if item.get_closest_marker("campaign")]
        config.hook.pytest_deselected(items=campaigns)
        items[:] = [item for item in items if item not in campaigns]


# No deadline: on a shared machine, the time that an example takes has no meaning.
settings.register_profile("product", deadline=None)
settings.load_profile("product")


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transport stream of 20 s at exactly 8 Mb/s, PCR every 20 ms."""
    return make_sample(tmp_path_factory.mktemp("sample") / "bars.ts")


@pytest.fixture(scope="session")
def _running_product(sample: Path) -> Iterator[Product]:
    with Product(sample) as running:
        yield running


@pytest.fixture
def product(_running_product: Product) -> Iterator[Product]:
    """A running product without streams. All tests share it; its streams are removed after each test."""
    yield _running_product
    _running_product.dismiss_all()
