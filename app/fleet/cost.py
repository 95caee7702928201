"""The CPU share that a stream needs, by which the cluster spreads streams over hosts."""

from __future__ import annotations

from typing import Final, NamedTuple, assert_never

from app.domain.spec import BarsSource, Engine, FileSource, MulticastSource, ReceiveSpec, RelaySpec, SendSpec
from app.protocol import Job

_BITRATE_MBPS: Final = 8.0  # for a job without a known rate, such as that of a live source


class _Cost(NamedTuple):
    """Thousandths of a core: at rest, and for each Mb/s."""

    base: float
    per_mbps: float


# From the medians in docs/benchmarks.md and docs/tuning.md: each engine with one receiver, and receive streams, both at
# 8 and 50 Mb/s.
_DIRECT: Final = _Cost(31, 1.1)
_GSTREAMER: Final = _Cost(72, 5.3)
_RECEIVER: Final = _Cost(34, 1.4)
_ENCODER: Final = 400.0
_DECODERS: Final = 22.0


def cpu_permille(job: Job) -> int:
    """Return the share of one core that such a stream used in our measurements, in thousandths."""
    mbps = _BITRATE_MBPS if job.bitrate_bps is None else job.bitrate_bps / 1e6
    match job.spec:
        case SendSpec():
            return round(_encoding(job.spec) + _of(_DIRECT if job.engine is Engine.DIRECT else _GSTREAMER, mbps))
        case ReceiveSpec():
            return round(_of(_RECEIVER, mbps) + _DECODERS * (job.spec.picture or job.spec.loudness))
        case RelaySpec():
            return 0  # it stays on its host
        case _:
            assert_never(job.spec)


def _of(cost: _Cost, mbps: float) -> float:
    return cost.base + cost.per_mbps * mbps


def _encoding(spec: SendSpec) -> float:
    match spec.source:
        case BarsSource():
            return _ENCODER
        case FileSource() | MulticastSource():
            return 0.0
        case _:
            assert_never(spec.source)
