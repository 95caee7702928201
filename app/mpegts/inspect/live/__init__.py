"""Analyses a stream while it is received, after ETSI TR 101 290."""

from app.domain.figures.live_report import LiveReport
from app.mpegts.inspect.live.analyser import LiveAnalyser

__all__ = ["LiveAnalyser", "LiveReport"]
