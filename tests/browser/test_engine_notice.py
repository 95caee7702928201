"""The notice of a stream whose source loses packets in GStreamer, and its button."""

from __future__ import annotations

import msgspec

from tests.browser.chrome import Browser
from tests.instruments.waiting import wait_for
from tests.web.fake_manager import FakeManager


def test_a_stream_whose_source_becomes_scrambled_is_changed_to_the_direct_engine(
    page: Browser, manager: FakeManager
) -> None:
    scrambled_later(manager, "parlmt")
    page.open("/stream/parlmt")
    page.wait_text("#notes", "1 receiver will be disconnected and has to reconnect: 198.51.100.23:50112.")
    assert page.violations() == []
    page.click("#use-direct")
    page.wait_text("#confirm-text", "reconnect")
    page.click("#confirm-yes")
    wait_for(lambda: manager.changed, deadline_s=15, what="the stream to be changed")

    ((key, spec),) = manager.changed
    assert (key, spec.engine, spec.name) == ("parlmt", "direct", "Parliament clean")
    page.wait_gone("#use-direct")


def scrambled_later(manager: FakeManager, key: str) -> None:
    """Let GStreamer discard packets of a stream's source."""
    snapshot = manager.get(key)
    assert snapshot.sample is not None
    source = snapshot.sample.input.with_discards(scrambled=120, errored=0)
    sample = msgspec.structs.replace(snapshot.sample, input=source)
    manager.streams[key] = msgspec.structs.replace(snapshot, sample=sample)
