"""Marks that select the engines for a test of a send stream: both daily, or one daily and the other in campaigns."""

from __future__ import annotations

import pytest

_CAMPAIGN = pytest.mark.campaign

on_both_engines = pytest.mark.parametrize("engine", ["gstreamer", "direct"])
# For tests that take long: the test runs on the other engine in campaigns only.
daily_on_direct = pytest.mark.parametrize("engine", ["direct", pytest.param("gstreamer", marks=_CAMPAIGN)])
daily_on_gstreamer = pytest.mark.parametrize("engine", ["gstreamer", pytest.param("direct", marks=_CAMPAIGN)])
