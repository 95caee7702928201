"""The relay of a running pair is killed: both ends report it, and the supervisor brings relay and pair back."""

from __future__ import annotations

import os
import signal
import time

from tests.instruments.product import Product
from tests.instruments.waiting import wait_for

REPORTED_WITHIN_S = 6
BACK_WITHIN_S = 30


def test_both_ends_report_a_killed_relay_within_six_seconds_and_the_supervisor_restarts_it(own: Product) -> None:
    source = own.start()
    way = {"delay_ms": 20}
    impairment = {"seed": 7, "to_target": way, "to_caller": way}
    made = own.post("/api/rehearsed-paths", {"stream": source["key"], "impairment": impairment})
    assert made.status == 201, made.document
    receiver, relay, sender = (stream["key"] for stream in made.document["streams"])
    for key in (receiver, relay, sender):
        own.wait_for_phase(key, "delivering", deadline_s=20)

    pid = own.stream(relay)["worker"]["pid"]
    os.kill(pid, signal.SIGKILL)
    reported_s = seconds_until_reported(own, receiver, sender)
    assert max(reported_s.values()) < REPORTED_WITHIN_S, reported_s

    back = own.wait_for_stream(
        relay, lambda view: view["worker"] and view["worker"]["pid"] != pid, deadline_s=BACK_WITHIN_S
    )
    assert back["order"] == "run"
    assert back["spec"]["impairment"]["seed"] == 7
    for key in (receiver, relay, sender):
        own.wait_for_phase(key, "delivering", deadline_s=BACK_WITHIN_S)
    texts = [event["text"] for event in own.get("/api/events").document["events"] if event["key"] == relay]
    assert any("crash" in text for text in texts), texts


def seconds_until_reported(product: Product, *keys: str) -> dict[str, float]:
    """Return the seconds from now until each of these streams is no longer shown as delivering."""
    began, reported = time.monotonic(), dict[str, float]()

    def all_reported() -> bool:
        for key in keys:
            if key not in reported and product.stream(key)["phase"] != "delivering":
                reported[key] = time.monotonic() - began
        return len(reported) == len(keys)

    wait_for(all_reported, deadline_s=20, what="both ends that say so")
    return reported
