"""Reads a small JSON document from an HTTPS address in a separate process.

A hanging name server, a slow drip of bytes or a flood ends with that process at the time limit. Run as a program
(`fetch.py ADDRESS BYTES`), it writes the body to standard output. Redirects are refused: only the configured address is
requested.
"""

from __future__ import annotations

import sys
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Final

FETCH_TIMEOUT_S: Final = 10.0
_READ_TIMEOUT_S: Final = 5.0
_HEADERS: Final = {"User-Agent": "mcr-srt-streamer", "Accept": "application/json"}


def fetch(address: str, *, bytes_max: int, timeout_s: float = FETCH_TIMEOUT_S) -> bytes:
    """Return the body at an HTTPS address. Raises app.probes.run.ProbeFailed with the cause."""
    # Imported here, because this file also runs alone, outside the package.
    from app.domain.web_address import problem_with_https_address
    from app.probes.run import ProbeFailed, TimedOut, run

    if problem := problem_with_https_address(address):
        raise ProbeFailed("fetch", problem)
    host = urllib.parse.urlsplit(address).hostname
    argv = [sys.executable, "-I", "-S", str(Path(__file__).resolve()), address, str(bytes_max)]
    try:
        outcome = run(argv, timeout_s=timeout_s, output_bytes_max=bytes_max + 4096)
    except TimedOut as error:
        raise TimedOut("fetch", f"{host} did not answer within {timeout_s:g} s") from error
    if outcome.returncode != 0:
        raise ProbeFailed("fetch", f"{host}: {outcome.complaint()}")
    return outcome.stdout


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses every redirect; the error names its target."""

    def redirect_request(self, request, answer, code, message, headers, new_address):  # type: ignore[no-untyped-def]
        """Raise an error instead of following."""
        raise urllib.error.URLError(f"redirects to {new_address[:200]}; configure that address if you trust it")


def main() -> int:
    """Write the body to standard output, or the cause of a failure to standard error."""
    address, bytes_max = sys.argv[1], int(sys.argv[2])
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        _NoRedirect(),
    ):
        opener.add_handler(handler)
    request = urllib.request.Request(address, headers=_HEADERS)  # noqa: S310 - no handler but HTTPS is there
    try:
        with opener.open(request, timeout=_READ_TIMEOUT_S) as answer:
            body = answer.read(bytes_max + 1)
    except urllib.error.HTTPError as error:
        sys.stderr.write(f"answers {error.code} {error.reason}\n")
        return 1
    except (urllib.error.URLError, HTTPException, OSError, ValueError) as error:
        sys.stderr.write(f"{_words(error)}\n")
        return 1
    if len(body) > bytes_max:
        sys.stderr.write(f"sends more than {bytes_max} bytes\n")
        return 1
    sys.stdout.buffer.write(body)
    return 0


def _words(error: Exception) -> str:
    """Return the system's message without its error number."""
    cause = getattr(error, "reason", error)
    return str(getattr(cause, "strerror", None) or cause)


if __name__ == "__main__":
    sys.exit(main())
