"""The account of a stream's reception over all of its workers, and its history."""

from __future__ import annotations

from typing import assert_never

from app.domain.figures.delivery_history import DeliveryHistory
from app.domain.figures.live_report import LiveReport
from app.domain.figures.outputs import OutputsReport
from app.domain.figures.reception import Reception, combine
from app.protocol import Picture, Received, ReceivedHistory


class Receptions:
    """The reports of one stream's workers. `analysis` and `outputs` are those of the present worker."""

    def __init__(self) -> None:
        self.history = DeliveryHistory()
        self.analysis: LiveReport | None = None
        self.outputs = OutputsReport()
        self.picture: Picture | None = None
        self._earlier: Reception | None = None
        self._present: Reception | None = None

    def take(self, message: Received | ReceivedHistory | Picture) -> None:
        """Add an account, or the history of a worker; points that are already here are ignored."""
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
        """Return the account since the reset; None while nothing was ever received."""
        return self._earlier if self._present is None else combine(self._earlier, self._present)

    def end_worker(self) -> None:
        """Keep the present worker's account for the next worker."""
        self._earlier = self.account()
        self._present = self.analysis = None
        self.outputs = OutputsReport()
        self.picture = None

    def reset(self) -> None:
        """Forget the counts of earlier workers; the present one resets itself. The history stays."""
        self._earlier = None
