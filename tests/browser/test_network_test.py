"""The network test's page in a browser: started, followed, explained, applied. The programs are pretended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.browser.chrome import PHONE, Browser
from tests.instruments.fake_tools import FakeTools
from tests.instruments.waiting import wait_for

PING = "20 packets transmitted, 20 received, 0% packet loss\nrtt min/avg/max/mdev = 39.1/40.0/41.5/0.4 ms\n"
UDP = {
    "end": {
        "sum": {"seconds": 10, "bits_per_second": 8e6, "jitter_ms": 0.2, "lost_packets": 190, "packets": 7600},
        "sum_received": {"bits_per_second": 7.8e6},
    }
}


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeTools:
    return FakeTools(monkeypatch, tmp_path / "bin")


def measured(page: Browser, tools: FakeTools) -> None:
    """Run a test that ends at once."""
    tools.say("ping", PING)
    tools.say("iperf3", json.dumps(UDP))
    page.open("/network_test")
    page.type("#host", "127.0.0.1")
    page.click("#start-test")
    page.wait_text("#test-state", "Done")
    page.wait_shown(".recommended")


def test_a_test_ends_in_a_recommendation_with_its_working(page: Browser, tools: FakeTools) -> None:
    measured(page, tools)
    assert "160" in page.text(".recommended")
    assert "25" in page.text(".recommended")
    working = page.text(".working")
    assert "edition 1.5, row up to 3 % loss" in working
    assert "40.0 ms" in working
    figures = page.text("#result .figures")
    assert "measured" in figures
    assert page.text("#history").count("Show") == 1
    assert page.violations() == []
    page.size(PHONE)
    assert page.scrolls_sideways() == []


_LATENCY_IS_IN_VIEW = """
const top = document.getElementById("latency_ms").getBoundingClientRect().top;
return top >= 0 && top <= innerHeight;
"""


@pytest.mark.parametrize(
    ("words", "path"), [("New listener with these values", "/"), ("New caller with these values", "/caller")]
)
def test_apply_fills_the_form_in(page: Browser, tools: FakeTools, words: str, path: str) -> None:
    measured(page, tools)
    (link,) = [one for one in page.all(".recommended a") if one.text == words]
    link.click()
    page.wait_shown("#latency_ms")
    assert page.js("return location.pathname") == path
    assert page.js("return document.getElementById('latency_ms').value") == "160"
    assert page.js("return document.getElementById('overhead_percent').value") == "25"
    assert page.text("#form-origin").startswith("Latency and overhead are from the test to 127.0.0.1, ")
    assert page.focused() == "latency_ms"
    # The streams above the form arrive later and push it down.
    if path == "/":
        page.find("#streams tr:nth-child(10)")
    wait_for(lambda: page.js(_LATENCY_IS_IN_VIEW), deadline_s=10, what="the filled field in view")


def test_a_running_test_shows_its_step_and_can_be_cancelled(page: Browser, tools: FakeTools) -> None:
    tools.pretend("ping", "hang")
    page.open("/network_test")
    page.type("#host", "127.0.0.1")
    page.click("#start-test")
    page.wait_text("#step", "round-trip time")
    assert page.find("#start-test").get_attribute("disabled")
    page.click("#cancel-test")
    page.wait_text("#test-state", "Cancelled")
    page.wait_gone("#progress")


def test_a_wrong_field_is_told_beside_it(page: Browser) -> None:
    page.open("/network_test")
    page.type("#host", "-c reboot")
    page.click("#start-test")
    page.wait_text("#host-fault", "does not begin with a hyphen")
    # Chromium notes the answer 400 on its console.
    assert all("400" in complaint for complaint in page.complaints())
    assert page.focused() == "host"


def test_a_program_that_speaks_markup_shows_as_text(page: Browser, tools: FakeTools) -> None:
    tools.say("ping", PING)
    tools.pretend("iperf3", "closing")
    page.open("/network_test")
    page.type("#host", "127.0.0.1")
    page.click("#start-test")
    page.wait_text("#result", "<script>alert(1)</script>")
    assert page.js("return document.querySelectorAll('#result script').length") == 0


def test_offline_the_closest_server_is_not_looked_for(page: Browser) -> None:
    page.open("/network_test")
    page.click("label[for=mode-closest]")
    page.wait_text("#servers-state", "OFFLINE=1")
    page.click("#start-test")
    page.wait_text("#result", "OFFLINE=1")
    page.wait_text("#test-state", "Failed")
