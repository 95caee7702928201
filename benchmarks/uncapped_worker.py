"""A worker without a bandwidth cap, for `engines.py` only: it is compared with uncapped senders such as ffmpeg.

The product never runs it. Usage: python -m benchmarks.uncapped_worker SOCKET
"""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the job on standard input as a worker does, but with SRTO_MAXBW set to no limit."""
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]  # as the worker does, before it imports msgspec
    from app.srt import spec_options
    from app.srt.options import Option
    from app.worker import worker

    capped = spec_options.options
    spec_options.options = lambda *spec, **known: capped(*spec, **known) | {Option.MAXBW: -1}
    return worker.main()


if __name__ == "__main__":
    os._exit(main())
