"""The line-up test as an engineer does it: by the page alone, from the plan to the printed report."""

from __future__ import annotations

import base64
import re
import time
from builtins import list as list_of

import msgspec
import pytest

from app.domain.figures.history import Second
from app.domain.figures.reception import DeliveryPoint, Gauges, ReceivedCounters
from app.domain.lineup.plan import DURATION_S, PROFILE_SECONDS
from app.settings import Settings
from tests.browser.chrome import PHONE, WIDE, Browser
from tests.instruments.waiting import wait_for
from tests.web.fake_line_ups import LINE_UP_ID, keep_line_up
from tests.web.fake_manager import FakeManager
from tests.web.fake_receptions import make_reception
from tests.web.mixed_streams import mixed_log, mixed_streams

QUICK_S = DURATION_S[0]


class CleanLink(FakeManager):
    """Streams whose every second up to now is clean at both ends."""

    def deliveries(self, key: str, wanted_s: int) -> list_of[DeliveryPoint]:
        self.get(key)
        received = ReceivedCounters(1_000_000, 1_034_000, 760)
        gauges = Gauges(1, 500, 400, 48.0, 50.0, 53.0, 0)
        return [DeliveryPoint(float(at), 1, received, gauges, 2.0, 4.0) for at in _whole_seconds(wanted_s)]

    def history(self, key: str, seconds: int, /) -> list_of[Second]:
        made = super().history(key, seconds)
        whole = _whole_seconds(len(made))
        return [msgspec.structs.replace(second, at=float(at)) for second, at in zip(made, whole, strict=True)]


def _whole_seconds(count: int) -> range:
    now = int(time.time())
    return range(now - count + 1, now + 1)


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> FakeManager:
    # The engineer chooses "Quick, 3 min", and no test has three minutes.
    monkeypatch.setitem(PROFILE_SECONDS, "quick", QUICK_S)
    streams = [*mixed_streams(), make_reception()]
    made = CleanLink(streams)
    made.log = mixed_log(streams)
    return made


def choose(page: Browser, selector: str, text: str) -> None:
    """Choose an option by what it says."""
    page.js(
        "const node = document.querySelector(arguments[0]);"
        "node.value = [...node.options].find((o) => o.textContent.includes(arguments[1])).value;"
        "node.dispatchEvent(new Event('change', { bubbles: true }))",
        selector,
        text,
    )


def test_an_engineer_finishes_a_quick_line_up_by_the_page_alone_and_prints_its_report(page: Browser) -> None:
    page.open("/line-up")
    page.wait_text("#runs-empty", "No line-up test yet")
    choose(page, "#stream", "Line-up bars")
    choose(page, "#receiver", "OB van 3 (this host)")
    choose(page, "#profile", "Quick")
    assert page.violations() == []
    page.click("#start")
    page.wait_text("#verdict", "Performance test")
    page.wait_text("#remaining", "remaining")
    page.wait_text("#verdict", "PASS", deadline_s=3 * QUICK_S)
    page.wait_text("#remaining", "Finished", deadline_s=3 * QUICK_S)
    assert "of all packets are lost" in page.text("#lines")
    assert "Wrong passphrase" in page.text("#checks")
    assert page.violations() == []
    page.size(PHONE)
    assert page.scrolls_sideways() == []
    page.size(WIDE)

    page.click("a[href$='/report']")
    assert page.text("h1") == "PASS"
    assert "Date, name and signature, far end" in page.text(".signatures")
    assert page.violations() == []
    assert pages_in_black_and_white(page) <= 3
    page.js("document.querySelector('.annex').remove()")
    assert pages_in_black_and_white(page) == 1, "the verdict, its figures, the graph and the signatures"


@pytest.fixture
def stored(settings: Settings) -> str:
    """The ID of a run that the product finds when it starts; named before `page` in a test."""
    keep_line_up(settings.data_folder)
    return LINE_UP_ID


def test_a_report_with_every_line_is_one_sheet_and_says_which_latency_held(stored: str, page: Browser) -> None:
    page.size(PHONE)  # before the graph is drawn, which follows the window only some time later
    page.open(f"/line-up/{stored}")
    page.wait_text("#lines", "Does not hold at the latency of the line, 250 ms.")
    assert "Check: Latency for the link × 2 (375 ms, limit 250)." in page.text("#headline")
    assert page.scrolls_sideways() == []
    assert page.violations() == []
    page.size(WIDE)
    page.open(f"/line-up/{stored}/report")
    assert page.text("h1") == "PASS WITH REMARKS"
    assert "Integrated loudness -24.2 LUFS" in page.text(".report-table")
    assert page.violations() == []
    page.js("document.querySelector('.annex').remove()")
    assert pages_in_black_and_white(page) == 1


def pages_in_black_and_white(page: Browser) -> int:
    """Return the number of sheets of A4 that the page prints on without its backgrounds."""
    pdf = page.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": False, "preferCSSPageSize": True})
    printed = base64.b64decode(pdf["data"])
    assert printed.startswith(b"%PDF-")
    return len(re.findall(rb"/Type /Page\b", printed))


def test_limits_are_saved_chosen_again_and_deleted_on_the_page(page: Browser) -> None:
    page.open("/line-up")
    page.wait_text("#runs-empty", "No line-up test yet")
    page.js("document.querySelector('#limits_name').closest('details').open = true")
    page.type("#limit-output_gap_max_ms", "25")
    page.type("#limit-true_peak_max_dbtp", "-1.5")
    page.type("#save_as", "a/b")
    page.click("#save-limits")
    page.wait_text("[data-fault-of='save_as']", "no slash")
    assert all("400" in complaint for complaint in page.complaints())
    page.type("#save_as", "Strict")
    page.click("#save-limits")
    page.wait_text("#limits_name", "Strict")
    page.open("/line-up")
    page.wait_text("#limits_name", "Strict")
    page.js("document.querySelector('#limits_name').closest('details').open = true")
    choose(page, "#limits_name", "Strict")
    shown = "return ['output_gap_max_ms', 'true_peak_max_dbtp', 'black_max_s']"
    shown += ".map((name) => document.querySelector(`#limit-${name}`).value)"
    assert page.js(shown) == ["25", "-1.5", ""]
    assert page.violations() == []
    page.click("#forget-limits")
    # An option of a closed list is never visible, so that only its count shows that it is gone.
    count = "return document.querySelectorAll('#limits_name option').length"
    wait_for(lambda: page.js(count) == 1, deadline_s=20, what="the deletion of the saved limits")
    assert page.js(shown) == ["40", "", ""]
