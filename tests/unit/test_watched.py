"""What the supervisor waits for: links and processes of streams, by their descriptors."""

from __future__ import annotations

import os

import pytest

from app.supervisor.watched import Watched


def test_a_stream_whose_descriptor_another_one_still_watches_is_watched_after_that_one_gave_it_up() -> None:
    """The first stream has closed a descriptor, and the second got the same number before the first was followed."""
    watched = Watched()
    read, write = os.pipe()
    own_read, own_write = os.pipe()
    first, second, own = object(), object(), object()
    try:
        watched.watch("first", [(first, read)])
        watched.watch("second", [(own, own_read)])
        with pytest.raises(KeyError):
            watched.watch("second", [(second, read), (own, own_read)])
        watched.watch("first", [])
        watched.watch("second", [(second, read), (own, own_read)])
        os.write(write, b"x")
        assert watched.wait(1.0) == {"second"}
    finally:
        watched.close()
        for descriptor in (read, write, own_read, own_write):
            os.close(descriptor)
