"""A line-up test that is over, with a line for everything that a report can have, as the product stores it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from app.domain.lineup.content import Content
from app.domain.lineup.margin import Margin, TriedLatency
from app.domain.lineup.measured import IndicatorSeconds, Measured, ReceiverSecond, SenderSecond
from app.domain.lineup.plan import LocalReceiver, Plan
from app.domain.lineup.run import Run, RunState, encode_run
from app.domain.rehearsal.tally import LatencyVerdict

LINE_UP_ID: Final = "20260131-081500-abcd"
_BEGAN: Final = 1_769_847_300
_SECONDS: Final = 60
_LINK: Final = "The line showed RTT 20.0 ms (p95 21.2 ms), loss 5 %, longest gap 120 ms"
_LOST: Final = ("37 packets were lost for good.", "The output paused for up to 112 ms, limit 40 ms.")


def stored_line_up() -> Run:
    """Return a run that passes, except for the margin, which does not hold at the latency of the line."""
    tried = (
        TriedLatency(125, LatencyVerdict.FAILED, _LOST),
        TriedLatency(250, LatencyVerdict.FAILED, _LOST),
        TriedLatency(375, LatencyVerdict.HELD),
        TriedLatency(500, LatencyVerdict.HELD),
    )
    ends = [float(_BEGAN + at) for at in range(1, _SECONDS + 1)]
    measured = Measured(
        sender=tuple(SenderSecond(at, 760, 40, peers=1, rtt_ms=20.0) for at in ends),
        receiver=tuple(ReceiverSecond(at, 760, latency_ms=250, headroom_ms=200, rtt_ms=20.0) for at in ends),
        indicators=(IndicatorSeconds("pat_error_2", 1, 0), IndicatorSeconds("pts_error", 2, 0)),
        content=Content(0.0, 0.0, 0.0, float(_BEGAN), -24.2, -3.1),
        margin=Margin(250, f"{_LINK}; loss and longest gap were doubled for 60 s", LINE_UP_ID, tried=tried),
    )
    return Run(
        LINE_UP_ID,
        Plan(stream="lineup", receiver=LocalReceiver("van"), duration_s=_SECONDS, margin=True, far_end="OB van 3"),
        RunState.DONE,
        float(_BEGAN),
        performance_at=float(_BEGAN),
        finished_at=float(_BEGAN + _SECONDS),
        measured=measured,
    ).judged()


def keep_line_up(data_folder: Path) -> None:
    """Put it where the product reads its line-up tests."""
    run = stored_line_up()
    data_folder.mkdir(parents=True, exist_ok=True)
    (data_folder / f"line_up-{run.id}.json").write_bytes(encode_run(run))
