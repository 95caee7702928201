"""Encrypts stored passphrases: Fernet (AES-128-CBC with HMAC-SHA256) with a key derived from SECRET_KEY."""

from __future__ import annotations

import base64
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.domain.secret import Secret

_PURPOSE: Final = b"mcr-srt-streamer stored passphrases 1"


class WrongKey(Exception):
    """A text was encrypted with another SECRET_KEY."""


class Cipher:
    """Encrypts secrets for the store."""

    def __init__(self, secret_key: Secret, purpose: bytes = _PURPOSE) -> None:
        """Derive the key for one purpose: it cannot open texts that were encrypted for another purpose."""
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret_key.reveal().encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def encrypt(self, secret: Secret) -> bytes:
        """Return a token that only the same SECRET_KEY opens."""
        return self._fernet.encrypt(secret.reveal().encode())

    def decrypt(self, token: bytes) -> Secret:
        """Return the secret in a token. Raises WrongKey."""
        try:
            return Secret(self._fernet.decrypt(token).decode())
        except InvalidToken:
            raise WrongKey from None
