"""A passphrase is counted in bytes, is shown nowhere and is never quoted."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.secret import MASK, Secret
from app.domain.spec import (
    parse_spec,
    public_spec,
)
from tests.unit.spec_documents import PASSPHRASE, PORTS, document, fields_of


@pytest.mark.parametrize("passphrase", ["a" * 10, "a" * 79, "å" * 5, "å" * 39, PASSPHRASE, "10 \"'&?# ü"])
def test_a_passphrase_counts_in_bytes_and_may_hold_any_printable_letter(passphrase: str) -> None:
    spec = parse_spec(document(encryption={"key_bits": 256, "passphrase": passphrase}), listener_ports=PORTS)
    assert spec.encryption is not None
    assert spec.encryption.passphrase.reveal() == passphrase


@given(passphrase=st.text("αβγδεζηθ0123456789", min_size=10, max_size=39))
def test_a_passphrase_is_shown_nowhere(passphrase: str) -> None:
    spec = parse_spec(document(encryption={"key_bits": 128, "passphrase": passphrase}), listener_ports=PORTS)
    assert spec.encryption is not None
    shown = [repr(spec), str(spec), f"{spec.encryption.passphrase}", spec.label(), json.dumps(public_spec(spec))]
    assert not [text for text in shown if passphrase in text]
    with pytest.raises(TypeError):
        msgspec.json.encode(spec)


def test_the_public_spec_keeps_the_key_length_and_nothing_else_of_the_encryption() -> None:
    public = public_spec(parse_spec(document(), listener_ports=PORTS))
    defaults = {
        "direction": "send",
        "engine": "auto",
        "group": "",
        "receivers_expected": None,
        "peer_version_lowest": None,
        "stream_id": None,
    }
    assert public == document(**defaults, encryption={"key_bits": 128})


def test_a_refused_passphrase_is_not_quoted() -> None:
    for hidden in ("short", "x" * 100):
        fields = fields_of(document(encryption={"key_bits": 128, "passphrase": hidden}))
        assert hidden not in str(fields)


def test_secrets_are_equal_by_their_text_and_print_as_a_mask() -> None:
    assert Secret("ten letters") == Secret("ten letters") != Secret("other letters")
    assert Secret("ten letters") != "ten letters"
    assert len({Secret("a"), Secret("a")}) == 1
    assert str(Secret("ten letters")) == MASK
    assert MASK in repr(Secret("ten letters"))
