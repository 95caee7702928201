"""The worker's reports about a reception: an account each second, and the history for a new manager."""

from __future__ import annotations

from app.domain.figures.delivery_history import DeliveryHistory
from app.protocol import FromWorker, ReceivedHistory
from app.worker.engine import ReceivingEngine, Sender


class ReceptionDesk:
    """Follows a receiving engine. For any other engine it reports nothing."""

    def __init__(self) -> None:
        self._engine: ReceivingEngine | None = None
        self._history = DeliveryHistory()
        self._picture_at = 0.0

    def follow(self, engine: Sender) -> None:
        """Report about this engine from now on, if it receives."""
        self._engine = engine if isinstance(engine, ReceivingEngine) else None

    def account(self, *, is_last: bool) -> list[FromWorker]:
        """Return the account of the last second, to send with each sample. The last account ends the reception."""
        if self._engine is None:
            return []
        received = self._engine.read_received(is_last=is_last)
        self._history.add(received.account.second)
        return [received, *self._picture(newer_than=self._picture_at)]

    def past(self) -> list[FromWorker]:
        """Return the history and the newest picture, to send to a manager that has just connected."""
        if self._engine is None:
            return []
        return [ReceivedHistory(self._history.seconds(), self._history.minutes()), *self._picture()]

    def _picture(self, newer_than: float = 0.0) -> list[FromWorker]:
        picture = self._engine.read_picture() if self._engine is not None else None
        if picture is None or picture.at <= newer_than:
            return []
        self._picture_at = picture.at
        return [picture]

    def reset(self) -> None:
        """Count from zero."""
        if self._engine is not None:
            self._engine.reset()
