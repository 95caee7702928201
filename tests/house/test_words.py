"""Words that operators could not understand do not return to the pages, the notices, the CLI or the docs."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KINDS = {".py", ".js", ".html", ".md"}

# What was written once, and what is written now.
REPLACED = {
    "RTT, least": "RTT min",
    "RTT, most": "RTT max",
    "RTT, deviation": "RTT std. dev.",
    "Latency, least": "Minimum latency",
    "Start it anew": "Apply 250 ms and 17 % (restarts the stream)",
    "receiver loses it": "1 receiver will be disconnected and has to reconnect",
    "over a hundred years": "no loss expected",
    "holds signs that an address": "characters that a URL cannot carry",
    "goes on with what it has open": "playback continues, but the stream cannot be restarted",
    "plays on from what it has open": "playback continues, but the stream cannot be restarted",
    '"Backing off"': "Retrying",
    "again in ${": "attempt 6",
    "Single keys": "Keyboard shortcuts",
    "Survives bursts": "Repairs outages",
    "start ordered": "start requested",
    "stop ordered": "stop requested",
    "Nothing is on air. Start": "No streams yet",
    "What you see is": "Last update",
    "streams go on without this page": "Streams keep running",
    "20 to 8000; 4 × RTT": "20 to 8000 ms, usually 4 × RTT",
    "1 to 99; for repairs": "1 to 99 %, room for resends",
    "those that are free": "Free UDP ports",
    "Look at it": "Warning",
    "Not fit": "Fail",
    "needs a look": "1 warning",
    "the most allowed; stop one": "stop one, or raise MAX_STREAMS",
    "By hand": "My server",
    "with peer": "Negotiated",
    "may stay empty": "Optional",
    "DVB asks": "DVB allows",
    "Asking for the": "Loading",
    "To the content": "Skip to content",
    "To the dashboard": "Back to dashboard",
    "Apply to listener": "New listener with these values",
}


def shown() -> list[Path]:
    """Return every file whose words a person reads."""
    places = [path for folder in ("app", "docs") for path in (ROOT / folder).rglob("*")]
    return [path for path in (*places, ROOT / "README.md") if path.suffix in KINDS and "vendor" not in path.parts]


@pytest.mark.parametrize("old", REPLACED)
def test_a_replaced_phrase_stays_replaced(old: str) -> None:
    found = [str(path.relative_to(ROOT)) for path in shown() if old in path.read_text(encoding="utf-8")]
    assert found == [], f"write {REPLACED[old]!r}"
