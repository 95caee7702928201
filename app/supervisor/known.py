"""What is known of a stream of an earlier process, and the description of a stream with unknown settings."""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.json_value import JsonObject
from app.domain.secret import Secret
from app.domain.spec import JobSpec
from app.domain.status import Order, Reason, Status
from app.domain.stored_spec import SpecUnreadable, read_spec, with_passphrase

_SPEC_UNREADABLE: Final = "the stored settings cannot be read by this version: {why}; they are kept unchanged: {json}"
_ORDER_LOST: Final = "the store no longer has this stream: it stays on air until you stop it"
_JSON_CHARACTERS: Final = 2000
_UNKNOWN: Final = frozenset({Reason.SPEC_UNREADABLE, Reason.ORDER_LOST})


class Known(msgspec.Struct, frozen=True):
    """What is known of a stream of an earlier process.

    `fault` prevents its start. `start_at` spreads starts over time; it is infinite for a stream whose job is not
    complete yet. For a stream with unknown settings, `stored_json` is the stored text and `why` the reason that it
    cannot be read; `passphrase` completes the settings that its worker reports.
    """

    order: Order
    ordered_at: float
    start_at: float = 0.0
    status: Status | None = None
    fault: Reason | None = None
    passphrase: Secret = Secret("")
    stored_json: str = ""
    why: str = ""

    def lacks_spec(self) -> bool:
        """Whether the stream's settings are not known."""
        return self.fault in _UNKNOWN

    def words(self) -> str:
        """Describe a stream whose settings are not known."""
        if self.fault is Reason.ORDER_LOST:
            return _ORDER_LOST
        return _SPEC_UNREADABLE.format(why=self.why, json=self.stored_json[:_JSON_CHARACTERS])

    def learn(self, document: JsonObject) -> JobSpec | None:
        """Return the settings that the worker reports, None if this version cannot read them."""
        try:
            spec, key_bits = read_spec(document)
        except SpecUnreadable:
            return None
        return with_passphrase(spec, key_bits, self.passphrase)
