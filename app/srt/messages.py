"""Sends or receives many messages at once: one buffer, a time for each message, few Python steps per message.

`srt_sendmsg2` and `srt_recvmsg2` are called for each message through `map`, with addresses into the buffer, because
separate Python calls would cost more than the functions.
"""

from __future__ import annotations

import ctypes
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from itertools import chain, repeat, takewhile
from typing import Final

import msgspec

from app.srt.binding import ErrorCode, MessageControl, library

MESSAGE_BYTES_MAX: Final = 1456  # the largest payload of live mode (libsrt SRT_LIVE_MAX_PLSIZE)

# SRT_MSGCTRL as 64-bit words: flags and msgttl (-1), inorder and boundary, srctime, pktseq and msgno (both -1), groups.
_BLANK: Final = array("q", (-1 << 32, 0, 0, -1, 0, 0))
_WORDS: Final = len(_BLANK)
_CONTROL_BYTES: Final = ctypes.sizeof(MessageControl)
_TIME_WORD: Final = 2
_NUMBERS_WORD: Final = 3  # libsrt writes the message's sequence number here (low half), and its message number
_SEQUENCE_MASK: Final = (1 << 31) - 1
_RECEIVED_AT_ONCE: Final = 128
_NOTHING_DUE: Final = (ErrorCode.WOULD_BLOCK_RECEIVING, ErrorCode.TIMED_OUT)


class MessageBuffer:
    """Consecutive messages of one size (the last may be shorter), each with a time of `time_now_us`."""

    __slots__ = ("_address", "_blank", "_controls", "_controls_at", "_data", "_last_bytes", "_size", "times_us")

    def __init__(self, data: bytearray, size: int, times_us: Iterable[int]) -> None:
        """`data` must keep its length from now on; `times_us` has one time for each message, oldest first."""
        self._size = size
        self._data = (ctypes.c_char * len(data)).from_buffer(data)  # keeps `data` at its address
        self._address = ctypes.addressof(self._data)
        self.stamp(times_us)
        self._last_bytes = len(data) - (len(self.times_us) - 1) * size

    def stamp(self, times_us: Iterable[int]) -> None:
        """Replace the times."""
        self.times_us = array("q", times_us)
        count = len(self.times_us)
        self._controls = _BLANK * count
        self._controls[_TIME_WORD::_WORDS] = self.times_us
        self._controls_at, _ = self._controls.buffer_info()
        self._blank = array("q", (-1,)) * count

    def bytes_of(self, first: int, end: int) -> int:
        """Return the size of the messages from `first` up to `end`."""
        short = self._size - self._last_bytes if first < end == len(self.times_us) else 0
        return (end - first) * self._size - short

    def send(self, number: int, first: int, end: int) -> int:
        """Send messages to the socket with that number, whose SNDSYN is off. Return how many it did not accept.

        It accepts none after its connection has ended, and not all if its send buffer is full: check its state.
        """
        size, at, controls_at = self._size, self._address, self._controls_at
        last = (self._last_bytes,) if end == len(self.times_us) else (size,)
        self._controls[first * _WORDS + _NUMBERS_WORD : end * _WORDS : _WORDS] = self._blank[first:end]
        results = map(
            library().c.srt_sendmsg2,
            repeat(number),
            range(at + first * size, at + end * size, size),
            chain(repeat(size, end - first - 1), last),
            range(controls_at + first * _CONTROL_BYTES, controls_at + end * _CONTROL_BYTES, _CONTROL_BYTES),
        )
        sent = list(results)
        return 0 if min(sent) >= 0 else sum(result < 0 for result in sent)


class Batch:
    """Messages of a buffer from `first` up to `end`, to be sent to any number of sockets."""

    __slots__ = ("_buffer", "_end", "_first", "newest_us")

    def __init__(self, buffer: MessageBuffer, first: int, end: int) -> None:
        self._buffer = buffer
        self._first = first
        self._end = end
        self.newest_us = buffer.times_us[end - 1]

    def __len__(self) -> int:
        return self._end - self._first

    def send_to(self, number: int, since_us: int) -> int:
        """Send the messages that are not due before `since_us`. Return how many the socket did not accept."""
        first = self._first
        if self._buffer.times_us[first] < since_us:
            first = bisect_left(self._buffer.times_us, since_us, first, self._end)
        return self._buffer.send(number, first, self._end) if first < self._end else 0


class Message(msgspec.Struct, frozen=True):
    """A received message. `due_us` is when libsrt handed it out: the sender's time plus latency, in `time_now_us`."""

    data: bytes
    due_us: int
    sequence: int


class MessageReader:
    """Reads from sockets with RCVSYN off."""

    def __init__(self) -> None:
        held = ctypes.create_string_buffer(_RECEIVED_AT_ONCE * MESSAGE_BYTES_MAX)
        self._controls = _BLANK * _RECEIVED_AT_ONCE
        at, controls_at = ctypes.addressof(held), self._controls.buffer_info()[0]
        self._data = memoryview(held)  # keeps the buffer alive
        self._places = range(at, at + len(held), MESSAGE_BYTES_MAX)
        self._control_places = range(controls_at, controls_at + _RECEIVED_AT_ONCE * _CONTROL_BYTES, _CONTROL_BYTES)

    def read(self, number: int, at_most: int) -> list[Message]:
        """Return the due messages of the socket with that number, oldest first, about `at_most` of them.

        Raises SrtError if there is none and the connection has ended.
        """
        messages: list[Message] = []
        while len(messages) < at_most:
            sizes = self._receive(number)
            times_us, numbers = self._controls[_TIME_WORD::_WORDS], self._controls[_NUMBERS_WORD::_WORDS]
            starts = range(0, len(self._data), MESSAGE_BYTES_MAX)
            for start, size, due_us, numbered in zip(starts, sizes, times_us, numbers, strict=False):
                messages.append(Message(self._data[start : start + size].tobytes(), due_us, numbered & _SEQUENCE_MASK))
            if len(sizes) < _RECEIVED_AT_ONCE:
                break
        if not messages and (error := library().last_error()).code not in _NOTHING_DUE:
            raise error
        return messages

    def _receive(self, number: int) -> list[int]:
        """Fill the buffer; return the sizes of the messages in it."""
        results = map(
            library().c.srt_recvmsg2,
            repeat(number),
            self._places,
            repeat(MESSAGE_BYTES_MAX),
            self._control_places,
        )
        return list(takewhile((-1).__lt__, results))
