"""The engines on which a test of a send stream runs: both each day, or one each day and the other in campaigns."""

from __future__ import annotations

import pytest

_CAMPAIGN = pytest.mark.campaign

on_both_engines = pytest.mark.parametrize("engine", ["gstreamer", "direct"])
# For tests that take long: the other engine's run is a campaign.
daily_on_direct = pytest.mark.parametrize("engine", ["direct", pytest.param("gstreamer", marks=_CAMPAIGN)])
daily_on_gstreamer = pytest.mark.parametrize("engine", ["gstreamer", pytest.param("direct", marks=_CAMPAIGN)])
