"""An engine that cannot be loaded ends its stream with a reason that says what to install."""

from __future__ import annotations

import sys

import pytest

from app.domain.endings import CannotSend
from app.domain.spec import BarsSource, ListenerEndpoint, SendSpec
from app.domain.status import Reason
from app.protocol import Job
from app.words.states import remedy_text
from app.worker.engines import build_engine


def test_a_missing_python_module_of_gstreamer_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("app.engines.gstreamer")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "gi", None)
    job = Job("abc", SendSpec(ListenerEndpoint(10001), BarsSource(), engine="gstreamer"))
    with pytest.raises(CannotSend) as refused:
        build_engine(job, lambda _message: None)
    assert refused.value.reason is Reason.MISSING_ELEMENT
    assert "gi" in refused.value.detail
    assert "install python3-gi" in refused.value.detail
    assert "python3-gi" in (remedy_text(Reason.MISSING_ELEMENT) or "")
