"""A stream that runs through a relay of this host carries a badge wherever its state is shown."""

from __future__ import annotations

import msgspec
import pytest

from tests.browser.chrome import Browser
from tests.instruments.waiting import wait_for
from tests.web.fake_manager import FakeManager


@pytest.mark.parametrize(
    ("path", "where"),
    [("/", "#streams tr[data-key=lineup]"), ("/?view=wall", "a[href='/stream/lineup']"), ("/stream/lineup", "#lamp")],
)
def test_an_impaired_stream_carries_the_badge_until_its_relay_is_gone(
    page: Browser, manager: FakeManager, path: str, where: str
) -> None:
    def badges() -> list[str]:
        return list(
            page.js("return [...document.querySelectorAll('.impaired')].map((badge) => badge.innerText.trim())")
        )

    stream = manager.streams["lineup"]
    manager.streams["lineup"] = msgspec.structs.replace(stream, impaired_by="relay1")
    page.open(path)

    wait_for(lambda: badges() == ["IMPAIRED"], deadline_s=15, what="one badge")
    assert page.js("return document.querySelector(arguments[0]) !== null", f"{where} .impaired")

    manager.streams["lineup"] = stream
    wait_for(lambda: badges() == [], deadline_s=15, what="no badge after the relay's end")
