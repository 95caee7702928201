"""A stream that fails at its first try: the message is at the field of the form, with the remedy."""

from __future__ import annotations

import pytest

from app.domain.errors import CouldNotStart
from app.domain.spec import ListenerEndpoint, MulticastSource, SendSpec
from app.domain.status import Phase, Reason
from app.streams.form_faults import raise_form_fault
from tests.web.fake_streams import make_snapshot


def test_a_missing_interface_is_named_at_its_field_with_the_remedy() -> None:
    spec = SendSpec(ListenerEndpoint(10_001), MulticastSource("239.1.1.1", 1234, "eno9"))
    failed = make_snapshot("abc", spec, Phase.FAILED, reason=Reason.INTERFACE_MISSING)
    with pytest.raises(CouldNotStart) as refused:
        raise_form_fault(failed)
    assert refused.value.fields == {
        "source.interface": "could not start: interface missing. The network interface is gone. Choose another one."
    }
