"""Passphrases by reference: the file names an environment variable or a file, and never holds the secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.domain.json_value import JsonObject

_KINDS: Final = ("env", "file")
_NAME_LENGTH_MAX: Final = 400
# A placeholder in the spec until the secret is known. No worker ever receives it.
UNRESOLVED: Final = "reference-not-resolved"


def reference_of(value: object) -> str | None:
    """Return a reference as text, `env:NAME` or `file:PATH`; None when the value is not a reference."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    ((kind, name),) = value.items()
    if kind not in _KINDS or not isinstance(name, str) or not 0 < len(name) <= _NAME_LENGTH_MAX:
        return None
    return f"{kind}:{name}"


def references_in(document: object) -> list[str]:
    """Return every reference of a decoded file, in order and once each; none for any other document."""
    streams = document.get("streams") if isinstance(document, dict) else None
    found: dict[str, None] = {}
    for entry in streams if isinstance(streams, list) else []:
        encryption = entry.get("encryption") if isinstance(entry, dict) else None
        reference = reference_of(encryption.get("passphrase")) if isinstance(encryption, dict) else None
        if reference is not None:
            found[reference] = None
    return list(found)


def with_passphrase(entry: JsonObject, secrets: Mapping[str, str]) -> tuple[JsonObject, str | None]:
    """Return the entry with the secret in place of its reference, and the reference if its secret is not known."""
    encryption = entry.get("encryption")
    reference = reference_of(encryption.get("passphrase")) if isinstance(encryption, dict) else None
    if reference is None or not isinstance(encryption, dict):
        return entry, None
    secret = secrets.get(reference)
    resolved: JsonObject = {**encryption, "passphrase": UNRESOLVED if secret is None else secret}
    return {**entry, "encryption": resolved}, reference if secret is None else None


def problem_with(entry: JsonObject) -> str | None:
    """Say what is wrong with the way an entry names its passphrase, or None."""
    encryption = entry.get("encryption")
    if not isinstance(encryption, dict) or reference_of(encryption.get("passphrase")) is not None:
        return None
    if isinstance(encryption.get("passphrase"), str):
        return "a passphrase must not be in this file; write {env: NAME} or {file: PATH}"
    return "name the passphrase by reference: {env: NAME} or {file: PATH}"
