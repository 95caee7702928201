"""The state of each PID of a received stream: packets, errors, times, scrambling, and recent bitrates."""

from __future__ import annotations

from collections import Counter, deque
from typing import Final

from app.domain.constants import NULL_PID
from app.mpegts.packets import PACKET_BYTES

_BITS_A_PACKET: Final = PACKET_BYTES * 8
# Bitrates are means of this many whole seconds.
RATE_WINDOW_S: Final = 5
# A PID counts as scrambled for this long after a scrambled packet.
_SCRAMBLED_S: Final = 1.0


class PidState:
    """One PID since the reset. `first_seen` and `last_seen` are times of packet batches, accurate to 0.1 s."""

    __slots__ = ("continuity_errors", "first_seen", "has_captions", "last_seen", "packets")

    def __init__(self, at: float) -> None:
        self.first_seen = self.last_seen = at
        self.packets = self.continuity_errors = 0
        self.has_captions = False


class PidBook:
    """All PIDs that occurred, at most 8192."""

    def __init__(self) -> None:
        self.by_pid: dict[int, PidState] = {}
        self._scrambled: dict[int, float] = {}
        self._second: Counter[int] = Counter()
        self._seconds: deque[Counter[int]] = deque(maxlen=RATE_WINDOW_S)

    def count(self, pid_of: list[int], first_at: float, last_at: float) -> bool:
        """Count the packets of a block that begins and ends at these times. Return whether a PID is new."""
        batch = Counter(pid_of)
        known = len(self.by_pid)
        for pid, packets in batch.items():
            state = self.state_of(pid, first_at)
            state.packets += packets
            state.last_seen = last_at
        self._second.update(batch)
        return len(self.by_pid) != known

    def state_of(self, pid: int, at: float) -> PidState:
        """Return the state of a PID. An unknown PID is added as first seen now."""
        state = self.by_pid.get(pid)
        if state is None:
            state = self.by_pid[pid] = PidState(at)
        return state

    def mark_scrambled(self, pids: set[int], at: float) -> None:
        """Note PIDs that had a scrambled packet."""
        self._scrambled.update(dict.fromkeys(pids - {NULL_PID}, at))

    def scrambled(self, at: float) -> set[int]:
        """Return the PIDs that are scrambled now."""
        if not self._scrambled:
            return set()
        self._scrambled = {pid: seen for pid, seen in self._scrambled.items() if at - seen <= _SCRAMBLED_S}
        return set(self._scrambled)

    def end_seconds(self, seconds: int) -> None:
        """Add the packets of the second that ends to the bitrates, followed by empty seconds."""
        self._seconds.append(self._second)
        self._second = Counter()
        self._seconds.extend(Counter() for _ in range(min(seconds - 1, RATE_WINDOW_S)))

    def bitrates(self) -> dict[int, int] | None:
        """Return bits per second by PID over the last whole seconds, None before the first has ended."""
        if not self._seconds:
            return None
        packets: Counter[int] = Counter()
        for second in self._seconds:
            packets.update(second)
        return {pid: round(count * _BITS_A_PACKET / len(self._seconds)) for pid, count in packets.items()}

    def interrupt(self) -> None:
        """Forget the bitrates, because no second around an interruption is complete."""
        self._second.clear()
        self._seconds.clear()

    def reset(self) -> None:
        """Forget all PIDs."""
        self.by_pid.clear()
        self._scrambled.clear()
