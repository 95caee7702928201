"""What all rings share: how hypothesis behaves on a machine that is busy with streams."""

from __future__ import annotations

from hypothesis import settings

# No deadline: the time an example takes says nothing on a shared machine.
settings.register_profile("product", deadline=None)
settings.load_profile("product")
