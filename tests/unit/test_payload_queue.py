"""The queue in front of a disk or a decoder: bounded, in order; payloads that do not fit are counted."""

from __future__ import annotations

from app.engines.receiver.payload_queue import PayloadQueue


def test_payloads_come_out_joined_and_in_order() -> None:
    queue = PayloadQueue(100)
    queue.put([b"one", b"two"])
    queue.put([b"three"])
    assert queue.bytes_waiting == 11
    assert queue.take() == b"onetwothree"
    assert (queue.take(), queue.bytes_waiting, queue.bytes_left_out) == (b"", 0, 0)


def test_what_has_no_room_is_left_out_whole_and_counted() -> None:
    queue = PayloadQueue(10)
    queue.put([b"x" * 6])
    queue.put([b"y" * 3, b"z" * 3])
    queue.put([b"v" * 4])
    assert queue.take() == b"x" * 6 + b"v" * 4
    assert queue.bytes_left_out == 6


def test_room_that_was_taken_is_free_again() -> None:
    queue = PayloadQueue(10)
    queue.put([b"x" * 10])
    queue.take()
    queue.put([b"y" * 10])
    assert (queue.take(), queue.bytes_left_out) == (b"y" * 10, 0)
