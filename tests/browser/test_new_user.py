"""A new user's path: the demo on air, a receiver, and the day's work after it, in words of the product only."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.demo_stream import SAMPLE
from tests.browser.chrome import Browser
from tests.browser.test_presets import choose, value
from tests.instruments.child import Child
from tests.instruments.product import Product
from tests.instruments.receivers import Receiver
from tests.instruments.ts_maker import Recipe, make_ts

# A field of the API (`latency_ms`, `source.path`) or what a script shows of a value that is not there.
_FOREIGN = re.compile(
    r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b|\b(?:source|endpoint|encryption)\.[a-z]+|\bundefined\b|\bNaN\b|\[object"
)


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    sample = tmp_path / "sample.ts"
    sample.write_bytes(make_ts(Recipe(seconds=6.0, bitrate_bps=3_000_000)))
    with Product(sample) as started:
        (started.media / "bars.ts").rename(started.media / SAMPLE)
        yield started


@pytest.fixture
def user(chrome: Browser, product: Product) -> Iterator[Browser]:
    chrome.start(f"http://127.0.0.1:{product.port}")
    chrome.hosts_asked()
    yield chrome
    asked, complaints = chrome.hosts_asked(), chrome.complaints()
    chrome.driver.get("about:blank")
    assert asked <= {"127.0.0.1"}
    assert complaints == []


def demo_of(product: Product) -> int:
    """Put the demo on air as `run.sh --demo` does; its port, as it is printed."""
    environment = {**os.environ, **product.environment}
    argv = [sys.executable, "-m", "app.cli", "demo", "--server-pid", str(product.web.pid)]
    with Child(argv, env=environment) as demo:
        assert demo.wait(deadline_s=30) == 0, demo.complaints()
        found = re.search(r"on air: .* on port (\d+)", demo.output())
    assert found
    return int(found[1])


def read_page(user: Browser) -> None:
    """Read the visible page as a person does: no name from the API, no value that a script did not have."""
    words = str(user.js("return document.body.innerText")).replace(SAMPLE, "")
    assert len(words) > 100
    assert _FOREIGN.findall(words) == []


def edit_on_air(user: Browser, product: Product, port: int) -> None:
    with Receiver.calling(port) as receiver:
        user.wait_text("#streams .col-state", "Delivering")
        receiver.wait_for_bytes(200_000)
        read_page(user)
        user.click("#streams a.name")
        user.wait_text("#lamp", "Delivering")
        read_page(user)
        user.click("a[href$='/edit']")
        user.wait_text("#interrupted", "1 receiver")
        user.type("#latency_ms", "5")
        user.click("#start-stream")
        user.wait_text("#latency_ms-fault", "5 is outside 20 to 8000 ms")
        assert all("400" in complaint for complaint in user.complaints())
        read_page(user)
        user.type("#latency_ms", "400")
        user.click("#start-stream")
        user.wait_text("#label", "Demo")
    with Receiver.calling(port) as receiver:
        receiver.wait_for_bytes(200_000)
        user.wait_text("#lamp", "Delivering")
        assert [view["peers"][0]["negotiated_latency_ms"] for view in product.streams()] == [400]


def save_as_preset(user: Browser, port: int) -> None:
    user.click("a[href$='/duplicate']")
    user.find("#stream-form[data-ready]")
    assert (value(user, "#name"), value(user, "#latency_ms")) == ("Demo copy", "400")
    assert value(user, "#port") != str(port)
    user.click("#save-preset")
    user.wait_shown("#preset-name")
    user.type("#preset-name", "Line-up")
    user.click("#preset-yes")
    user.wait_text("#toasts", "Saved as preset: Line-up")
    user.wait_gone("#preset-dialog")
    read_page(user)
    user.click("#start-stream")
    user.wait_text("#streams, #label", "Demo copy")


def load_after_a_restart(user: Browser, product: Product) -> None:
    user.driver.get("about:blank")  # a page would rightly complain of the server that is not there
    product.kill_web()
    product.restart_web()
    user.open("/presets")
    user.wait_text("#presets", "Line-up")
    read_page(user)
    user.open("/")
    choose(user, "#load-preset", "Line-up")
    user.wait_text("#preset-note", "Loaded from the preset “Line-up”.")
    user.find("#stream-form[data-ready]")
    assert (value(user, "#name"), value(user, "#path"), value(user, "#latency_ms")) == ("Demo copy", SAMPLE, "400")
    read_page(user)


def stop_all(user: Browser, product: Product) -> None:
    user.wait_text("#streams", "Demo copy")
    user.click("#new-stream .btn-close")
    user.wait_gone("#new-stream")
    user.click("#stop-all")
    user.wait_text("#confirm-title", "Stop all 2 streams?")
    user.wait_shown("#confirm-yes")
    read_page(user)
    user.click("#confirm-yes")
    user.wait_text("#toasts", "Stopped: 2 streams")
    assert {view["phase"] for view in product.streams()} == {"stopped"}
    read_page(user)


def test_a_new_user_gets_from_the_demo_to_a_preset_without_an_unexplained_word(user: Browser, product: Product) -> None:
    port = demo_of(product)
    user.open("/")
    user.wait_text("#streams .col-state", "Waiting")
    edit_on_air(user, product, port)
    save_as_preset(user, port)
    load_after_a_restart(user, product)
    stop_all(user, product)
