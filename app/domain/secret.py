"""A text that must never be shown."""

from __future__ import annotations

from typing import Final

MASK: Final = "••••••"


class Secret:
    """Hold a passphrase or key so that printing, logging or encoding it shows a mask.

    Only `reveal()` returns the text; every call of it is a place where a secret leaves the process or is compared.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def size_bytes(self) -> int:
        """Length in UTF-8 bytes, which is what libsrt limits."""
        # A lone surrogate comes through json.loads; it is refused by its character, not by an exception here.
        return len(self._text.encode(errors="surrogatepass"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return False
        from hmac import compare_digest  # it brings OpenSSL along, 0.7 MB that a worker never needs

        return compare_digest(self._text.encode(errors="surrogatepass"), other._text.encode(errors="surrogatepass"))

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK
