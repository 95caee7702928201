"""The command line's table of streams."""

from __future__ import annotations

from typing import Any

from app.cli.words import stream_table

VIEW: dict[str, Any] = {
    "key": "abc",
    "phase_text": "Delivering",
    "peers": [{}],
    "payload_mbps": 8.0,
    "rtt_ms": 20.0,
    "totals": {"retransmitted_percent": 0.4, "packets_dropped": 3},
    "lost_text": "1 in 20,000",
    "label": "Line-up",
    "spec": {"direction": "send"},
    "reception": None,
}


def test_a_receive_stream_shows_what_it_counts_and_no_senders_figures() -> None:
    received = {**VIEW, "spec": {"direction": "receive"}, "reception": {"packets_dropped": 21}}
    heading, sent, counted = stream_table([VIEW, received])
    column = heading.index("RESENT %")
    assert sent[column:].split("  ")[0] == "0.40"
    assert (sent.count("1 in 20,000"), sent[heading.index("SENDER") :][:1]) == (1, "3")
    assert counted[column:].split() == ["–", "21", "–", "Line-up"]


def test_a_receive_stream_without_a_sender_has_no_figures_of_one() -> None:
    waiting = {**VIEW, "spec": {"direction": "receive"}, "totals": {**VIEW["totals"], "retransmitted_percent": None}}
    heading, row = stream_table([{**waiting, "lost_text": "–"}])
    assert row[heading.index("RESENT %") :].split() == ["–", "–", "–", "Line-up"]
