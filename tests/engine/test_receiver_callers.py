"""Senders that call a receive stream at the same moment: one is let in, and the others are refused."""

from __future__ import annotations

from app.domain.events import PeerChange
from app.domain.status import Reason
from tests.instruments.late_receiver import reports_of


def test_callers_that_libsrt_let_in_before_the_first_was_accepted_are_refused_at_once() -> None:
    refused = [PeerChange.REFUSED, Reason.CONNECTION_REJECTED]
    assert reports_of(3) == [[PeerChange.CONNECTED, None], refused, refused]
