"""The account of a stream's reception across all of its workers, and its history."""

from __future__ import annotations

from typing import assert_never

from app.domain.figures.delivery_history import DeliveryHistory
from app.domain.figures.live_report import LiveReport
from app.domain.figures.outputs import OutputsReport
from app.domain.figures.reception import Reception, combine
from app.protocol import Picture, Received, ReceivedHistory


class Receptions:
    """What the workers of one stream have reported. `analysis` and `outputs` are those of the present worker."""

    def __init__(self) -> None:
        self.history = DeliveryHistory()
        self.analysis: LiveReport | None = None
        self.outputs = OutputsReport()
        self.picture: Picture | None = None
        self._earlier: Reception | None = None
        self._present: Reception | None = None

    def take(self, message: Received | ReceivedHistory | Picture) -> None:
        """Add an account, or what a worker remembers, except what is here already."""
        match message:
            case Received(account, analysis, outputs):
                self._present, self.analysis, self.outputs = account, analysis, outputs
                self.history.add(account.second)
            case ReceivedHistory(seconds, minutes):
                self.history.recall(seconds, minutes)
            case Picture():
                self.picture = message
            case _:
                assert_never(message)

    def account(self) -> Reception | None:
        """The account since the reset; None while nothing was ever received."""
        return self._earlier if self._present is None else combine(self._earlier, self._present)

    def end_worker(self) -> None:
        """Keep the present worker's account for its successor."""
        self._earlier = self.account()
        self._present = self.analysis = None
        self.outputs = OutputsReport()
        self.picture = None

    def reset(self) -> None:
        """Forget what earlier workers counted; the present one is reset by itself. The history stays."""
        self._earlier = None
