"""A text that must never be shown, such as a passphrase."""

from __future__ import annotations

from typing import Final

MASK: Final = "••••••"


class Secret:
    """Holds a passphrase or key. Printing, logging or encoding it shows a mask.

    Only `reveal()` returns the text. At each call of it, a secret leaves the process or is compared.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def size_bytes(self) -> int:
        """Return the length in UTF-8 bytes, which libsrt limits."""
        # json.loads accepts a lone surrogate. A rule on characters refuses it later; here it must not raise.
        return len(self._text.encode(errors="surrogatepass"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return False
        from hmac import compare_digest  # imported here: it loads OpenSSL, 0.7 MB that a worker never needs

        return compare_digest(self._text.encode(errors="surrogatepass"), other._text.encode(errors="surrogatepass"))

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK
