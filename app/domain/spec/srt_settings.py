"""The SRT settings that send and receive streams share."""

from __future__ import annotations

from typing import Annotated, Literal

from app.domain import names
from app.domain.constants import LATENCY_MS_HIGHEST, LATENCY_MS_LOWEST, PASSPHRASE_BYTES
from app.domain.secret import Secret
from app.domain.spec.fields import setting
from app.domain.spec.part import Part

LATENCY_MS_DEFAULT = 200

Name = Annotated[str, setting("Name", "Optional; shown in lists and on the wall", rule=names.problem_with_label)]
Group = Annotated[
    str,
    setting(
        "Group",
        "Optional; streams of one group are filtered, started and stopped together",
        rule=names.problem_with_stream_group,
        is_advanced=True,
    ),
]
LatencyMs = Annotated[
    int,
    setting("Latency", "Usually 4 × RTT", low=LATENCY_MS_LOWEST, high=LATENCY_MS_HIGHEST, unit="ms"),
]


def problem_with_passphrase(passphrase: Secret) -> str | None:
    """Say what is wrong with a passphrase, or None. The text never quotes the passphrase."""
    low, high = PASSPHRASE_BYTES
    if not low <= (size := passphrase.size_bytes()) <= high:
        return f"a passphrase has {low} to {high} bytes, this one has {size}; letters such as å count as two"
    if any(not character.isprintable() for character in passphrase.reveal()):
        return "a passphrase has no line breaks or other control characters"
    return None


class Encryption(Part, frozen=True):
    """AES with a pre-shared passphrase of 10 to 79 bytes (libsrt's limit, counted in UTF-8)."""

    key_bits: Annotated[Literal[128, 256], setting("Encryption", "AES key length", unit="bit")]
    passphrase: Annotated[
        Secret, setting("Passphrase", "The same at both ends, 10 to 79 bytes", rule=problem_with_passphrase)
    ]
