"""The dashboard as an operator uses it: by mouse, and by the keyboard alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from selenium.webdriver.common.keys import Keys

from app.domain.status import Phase
from tests.browser.chrome import PHONE, WIDE, Browser
from tests.browser.conftest import Server
from tests.instruments.waiting import wait_for
from tests.web.fake_manager import FakeManager
from tests.web.fake_streams import SCRIPT_NAME


def shown_keys(page: Browser) -> list[str]:
    return list(
        page.js("return [...document.querySelectorAll('#streams tr:not([hidden])')].map((row) => row.dataset.key)")
    )


def fetch(page: Browser, path: str) -> Any:
    return page.js_async("const [path, done] = arguments; fetch(path).then((r) => r.json()).then(done);", path)


def test_the_figures_are_the_apis(page: Browser) -> None:
    page.open("/")
    page.find("#streams tr:nth-child(10)")
    rows = {stream["key"]: stream for stream in fetch(page, "/api/dashboard")["streams"]}

    def shown(key: str, column: str) -> str:
        return page.text(f"tr[data-key={key}] .{column}")

    for key in ("parlmt", "lineup", "umearn"):
        row = rows[key]
        assert shown(key, "col-payload") == f"{row['payload_mbps']:.2f}Mb/s"
        assert shown(key, "col-drops") == str(row["packets_dropped"])
        assert shown(key, "col-resent") == f"{row['retransmitted_percent']:.1f}%"
        assert shown(key, "col-peers") == str(row["peers"])
        assert shown(key, "col-rtt").startswith(f"{row['rtt_ms']:.0f}ms")
    assert shown("arenab", "col-payload") == "–"
    assert shown("guestx", "col-payload") == "0.00Mb/s"


def test_faults_come_first_and_say_why(page: Browser) -> None:
    page.open("/")
    page.find("#streams tr:nth-child(10)")

    assert shown_keys(page)[:4] == ["arenab", "stallx", "failed", "parlmt"]
    assert "Retrying in 25 s" in page.text("tr[data-key=arenab] .col-state")
    assert "wrong passphrase · attempt 1" in page.text("tr[data-key=arenab] .col-state")
    assert page.text("tr[data-key=failed] .col-state") == "Failedfile missing"


def test_title_and_favicon_show_the_worst_state(page: Browser, manager: FakeManager) -> None:
    page.open("/")
    wait_for(lambda: "3 faults" in page.driver.title, deadline_s=15, what="faults in the title")
    assert "favicon-fault" in (page.find("#favicon").get_attribute("href") or "")

    manager.streams = {key: manager.streams[key] for key in ("lineup", "umearn")}
    wait_for(lambda: "2 on air, all well" in page.driver.title, deadline_s=15, what="all well in the title")
    assert "favicon-good" in (page.find("#favicon").get_attribute("href") or "")

    manager.streams = {}
    wait_for(lambda: "Nothing on air" in page.driver.title, deadline_s=15, what="nothing on air in the title")
    assert "No streams yet" in page.text("#streams-empty")


@pytest.mark.parametrize(("color", "ratio"), [("warn", 2.4), ("warn", 2.9), ("good", 3.0)])
def test_a_latency_short_for_its_rtt_is_amber(page: Browser, manager: FakeManager, color: str, ratio: float) -> None:
    snapshot = manager.streams["lineup"]
    peers = [
        msgspec.structs.replace(peer, rtt_ms=200 / ratio, negotiated_latency_ms=200) for peer in snapshot.sample.peers
    ]
    sample = msgspec.structs.replace(snapshot.sample, peers=peers)
    manager.streams = {"lineup": msgspec.structs.replace(snapshot, sample=sample)}
    page.open("/")

    assert color in (page.find("tr[data-key=lineup] .pill").get_attribute("class") or "").split()
    assert page.text("tr[data-key=lineup] .pill") == f"{ratio:.1f} ×"


def test_the_filter_narrows_by_any_word(page: Browser) -> None:
    page.open("/")
    page.find("#streams tr:nth-child(10)")
    page.press("/")
    assert page.focused() == "filter"
    page.press("listener", " ", "waiting")

    assert sorted(shown_keys(page)) == ["evilxx", "guestx"]
    assert page.text("#stream-count") == "2 of 10"
    page.press(Keys.ESCAPE)
    assert len(shown_keys(page)) == 10


def test_a_group_is_shown_alone_and_stopped_together_after_a_question(page: Browser, manager: FakeManager) -> None:
    page.open("/")
    page.find("#streams tr:nth-child(10)")
    assert not page.is_shown("#group-filter"), "no stream has a group"
    for key in ("lineup", "umearn"):
        seen = manager.streams[key]
        manager.streams[key] = msgspec.structs.replace(seen, spec=msgspec.structs.replace(seen.spec, group="Match day"))
    page.wait_shown("#group-filter")
    page.js(
        "const g = document.querySelector('#group-filter'); g.value = 'Match day'; g.dispatchEvent(new Event('change'))"
    )
    assert sorted(shown_keys(page)) == ["lineup", "umearn"]
    assert page.text("#stop-all") == "Stop group"
    page.click("#stop-all")
    page.wait_text("#confirm-title", "Stop all 2 streams of “Match day”?")
    page.wait_shown("#confirm-yes")
    page.click("#confirm-yes")
    page.wait_text("tr[data-key=lineup] .col-state", "Stopped")
    assert sorted(key for _, key, _ in manager.orders) == ["lineup", "umearn"]


def test_a_stream_is_stopped_only_after_a_question_that_names_it(page: Browser, manager: FakeManager) -> None:
    page.open("/")
    page.click("tr[data-key=lineup] .col-actions button:last-child")
    page.wait_text("#confirm-title", "Stop “Line-up bars”?")
    page.wait_text("#confirm-text", "2 receivers will be disconnected.")
    page.wait_shown("#confirm .btn-q")
    page.click("#confirm .btn-q")
    page.wait_gone("#confirm")
    assert manager.orders == []

    page.click("tr[data-key=lineup] .col-actions button:last-child")
    page.wait_shown("#confirm-yes")
    page.click("#confirm-yes")
    page.wait_text("tr[data-key=lineup] .col-state", "Stopped")

    assert manager.orders == [("stop", "lineup", "operator at 127.0.0.1")]


def test_a_failed_stream_stays_until_it_is_dismissed(page: Browser, manager: FakeManager) -> None:
    page.open("/")
    page.click("tr[data-key=failed] .col-actions button:last-child")
    wait_for(lambda: "failed" not in shown_keys(page), deadline_s=15, what="the failed stream to be gone")

    assert manager.orders == [("dismiss", "failed", "operator at 127.0.0.1")]


def test_a_dismissal_is_undone_in_the_notice_that_reports_it(page: Browser, manager: FakeManager) -> None:
    label = manager.get("failed").spec.label()
    page.open("/")
    page.click("tr[data-key=failed] .col-actions button:last-child")
    page.wait_text("#toasts", f"Removed {label}.")
    wait_for(lambda: "failed" not in shown_keys(page), deadline_s=15, what="the failed stream to be gone")
    page.click("#toasts button")
    wait_for(lambda: "failed" in shown_keys(page), deadline_s=15, what="the failed stream to be back")

    assert [order for order, _, _ in manager.orders] == ["dismiss", "undo_dismiss"]
    assert page.all("#toasts button") == []


def test_the_key_that_stops_never_dismisses_and_another_key_does(page: Browser, manager: FakeManager) -> None:
    page.open("/")
    page.find("#streams tr:nth-child(10)")
    page.js("document.querySelector('tr[data-key=failed] .name').focus()")
    page.press("s", "X")
    wait_for(lambda: "failed" not in shown_keys(page), deadline_s=15, what="the failed stream to be gone")
    page.press("u")
    wait_for(lambda: "failed" in shown_keys(page), deadline_s=15, what="the failed stream to be back")

    assert [order for order, _, _ in manager.orders] == ["dismiss", "undo_dismiss"]


def test_all_streams_are_stopped_after_a_question_that_counts_them(page: Browser, manager: FakeManager) -> None:
    manager.streams = {key: manager.streams[key] for key in ("lineup", "umearn", "stoppd")}
    receivers = len(manager.get("lineup").sample.peers) + len(manager.get("umearn").sample.peers)
    page.open("/")
    page.find("#streams tr:nth-child(3)")
    page.click("#stop-all")
    page.wait_text("#confirm-title", "Stop all 2 streams?")
    page.wait_text("#confirm-text", f"{receivers} receivers will be disconnected.")
    page.wait_shown("#confirm-yes")
    page.click("#confirm-yes")
    page.wait_text("#toasts", "Stopped: 2 streams")

    assert sorted(key for order, key, _ in manager.orders if order == "stop") == ["lineup", "umearn"]


def test_a_stopped_stream_starts_again(page: Browser, manager: FakeManager) -> None:
    page.open("/")
    page.click("tr[data-key=stoppd] .col-actions button:nth-last-child(2)")
    page.wait_text("tr[data-key=stoppd] .col-state", "Waiting")

    assert manager.orders == [("restart", "stoppd", "operator at 127.0.0.1")]


def test_everything_is_done_with_keys_alone(page: Browser, manager: FakeManager) -> None:
    page.open("/")
    page.find("#streams tr:nth-child(10)")
    page.press("j", "j", "j", "k")
    assert page.js("return document.activeElement.closest('tr').dataset.key") == "stallx"
    page.press("s")
    page.wait_text("#confirm-title", "Stadium wide")
    page.wait_shown("#confirm-yes")
    page.tab_to("#confirm-yes")
    page.press(Keys.ENTER)
    page.wait_text("tr[data-key=stallx] .col-state", "Stopped")
    page.wait_gone("#confirm")
    page.press("?")
    page.wait_text("#help-keys", "stop the chosen stream")
    page.wait_shown("#help .btn-close")
    page.press(Keys.ESCAPE)
    page.wait_gone("#help")
    # The choice went with the stream that was stopped; the next row is the one after it.
    page.press("j", Keys.ENTER)
    page.wait_text("#label", SCRIPT_NAME)
    assert manager.orders == [("stop", "stallx", "operator at 127.0.0.1")]


def test_single_keys_can_be_switched_off(page: Browser) -> None:
    page.open("/")
    page.find("#streams tr")
    page.press("?")
    page.wait_shown("#keys-on")
    page.click("#keys-on")
    page.press(Keys.ESCAPE)
    page.wait_gone("#help")
    page.press("/")

    assert page.focused() != "filter"


def test_figures_turn_grey_and_tell_their_age_when_the_server_is_gone(page: Browser, server: Server) -> None:
    page.open("/")
    page.find("#streams tr:nth-child(10)")
    server.stop()
    wait_for(
        lambda: page.js("return document.body.classList.contains('is-stale')"), deadline_s=20, what="stale figures"
    )
    page.wait_text("#connection-lost", "Last update ")
    assert "no answer" in page.driver.title
    assert "favicon-stale" in (page.find("#favicon").get_attribute("href") or "")
    for part in (".col-payload", ".state", "svg.spark"):
        grey = page.js(
            "return getComputedStyle(document.querySelector(arguments[0])).filter", f"tr[data-key=lineup] {part}"
        )
        assert "grayscale(1)" in grey, part
    for size in (WIDE, PHONE):
        page.size(size)
        edges = page.js(
            "return [...document.querySelectorAll('tr.is-fault, tr.is-fault td')]"
            ".map((part) => getComputedStyle(part).boxShadow)"
        )
        assert not any("225, 50, 65" in edge for edge in edges), "the red of a fault is no longer known to be true"
    page.driver.get("about:blank")  # no poll may follow the look at the console
    # Requests to a server that is gone are noted on the console only. It refuses them, or it ended in one of them.
    others = [complaint for complaint in page.complaints() if "Failed to load resource: net::ERR_" not in complaint]
    assert others == []


def test_a_stream_whose_figures_are_old_says_so(page: Browser, manager: FakeManager) -> None:
    manager.streams["lineup"] = msgspec.structs.replace(manager.streams["lineup"], sample_age_s=12.4)
    page.open("/")

    page.wait_text("tr[data-key=lineup] .col-state", "figures 12 s old")
    assert "is-old" in (page.find("tr[data-key=lineup]").get_attribute("class") or "")


def test_the_theme_is_chosen_once(page: Browser) -> None:
    page.open("/")
    assert page.js("return document.documentElement.dataset.bsTheme") == "dark"
    page.click("#switch-theme")
    page.driver.get(page.base + "/caller")

    assert page.js("return document.documentElement.dataset.bsTheme") == "light"


def test_a_new_stream_appears_and_a_forgotten_one_goes(page: Browser, manager: FakeManager) -> None:
    page.open("/")
    page.find("#streams tr:nth-child(10)")
    page.js("document.querySelector('tr[data-key=lineup]').dataset.mark = 'same node'")
    del manager.streams["longxx"]
    manager.stop("umearn")
    wait_for(lambda: len(shown_keys(page)) == 9, deadline_s=15, what="nine rows")

    assert page.find("tr[data-key=lineup]").get_attribute("data-mark") == "same node"
    assert manager.get("umearn").status.phase is Phase.STOPPED


def test_the_input_has_a_column_with_its_rate_and_its_errors(page: Browser, manager: FakeManager) -> None:
    snapshot = manager.streams["lineup"]
    assert snapshot.sample is not None
    source = msgspec.structs.replace(snapshot.sample.input, continuity_errors_total=2, rtp_gaps_total=1)
    sample = msgspec.structs.replace(snapshot.sample, input=source)
    manager.streams["lineup"] = msgspec.structs.replace(snapshot, sample=sample)
    page.open("/")
    page.find("#streams tr:nth-child(10)")

    assert page.text("tr[data-key=lineup] .col-input") == "16.02Mb/s3 errors"
    assert page.text("tr[data-key=parlmt] .col-input") == "12.02Mb/s"
    assert page.text("tr[data-key=failed] .col-input") == "–"
