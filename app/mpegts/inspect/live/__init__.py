"""Analysis of a stream while it is received, after ETSI TR 101 290."""

from app.mpegts.inspect.live.analyser import LiveAnalyser
from app.mpegts.inspect.live.report import LiveReport

__all__ = ["LiveAnalyser", "LiveReport"]
