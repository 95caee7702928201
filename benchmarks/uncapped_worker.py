"""A worker without a bandwidth cap, which the product never runs: `engines.py` compares with uncapped ffmpeg.

python -m benchmarks.uncapped_worker SOCKET
"""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Carry the job on standard input as a worker does, but with SRTO_MAXBW without limit."""
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]  # as the worker does, before it imports msgspec
    from app.srt import spec_options
    from app.srt.options import Option
    from app.worker import worker

    capped = spec_options.options
    spec_options.options = lambda *spec, **known: capped(*spec, **known) | {Option.MAXBW: -1}
    return worker.main()


if __name__ == "__main__":
    os._exit(main())
