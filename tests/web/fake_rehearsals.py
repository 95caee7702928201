"""A rehearsal that is over, with a latency of each verdict, as the product stores it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from app.domain.rehearsal.plan import parse_rehearsal
from app.domain.rehearsal.run import Attempt, Rehearsal, RehearsalState, encode_rehearsal
from app.domain.rehearsal.tally import Tally

REHEARSAL_ID: Final = "20260131-081500-abcd"
_WHOLE: Final = Tally(seconds=180, packets_unique=136_800, packets_sent=136_800, packets_resent=900, relayed=150_000)
_TALLIES: Final = {
    80: Tally(seconds=180, packets_unique=130_000, packets_lost=6_800, gaps=9, longest_gap_ms=412, relayed=150_000),
    160: Tally(seconds=120, packets_unique=90_000, packets_lost=3, held_up_s=4, relayed=150_000, late=60_000),
    320: _WHOLE,
    480: _WHOLE,
}


def stored_rehearsal() -> Rehearsal:
    """Return a run whose lowest latency that held is 320 ms."""
    way = {"delay_ms": 40, "jitter_ms": 20, "loss_percent": 2, "outage": {"every_s": 20, "for_ms": 150}}
    plan = parse_rehearsal({"stream": "lineup", "impairment": {"to_target": way, "to_caller": way}})
    return Rehearsal(
        REHEARSAL_ID,
        plan,
        RehearsalState.DONE,
        1_769_847_300,
        tuple(Attempt(latency_ms, tally=tally) for latency_ms, tally in _TALLIES.items()),
        label="Line-up",
        measured_from=1_769_847_310,
        finished_at=1_769_847_490,
    )


def keep_rehearsal(data_folder: Path) -> None:
    """Put it where the product reads its rehearsals."""
    run = stored_rehearsal()
    (data_folder / f"rehearsal-{run.id}.json").write_bytes(encode_rehearsal(run))
