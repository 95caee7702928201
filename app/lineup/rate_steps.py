"""Runs the rate steps of a run: a temporary sender loads the same path step by step while the stream is off air."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from app.domain.errors import ProductError
from app.domain.lineup.measured import Check, CheckVerdict, ReceiverSecond
from app.domain.lineup.plan import Plan
from app.domain.lineup.rates import RateOrder, RateOutcome, judge_steps, not_measured, rates_of
from app.domain.link_budget import buffer_packets
from app.domain.spec import Endpoint, SendSpec
from app.domain.status import Phase
from app.lineup.ends import CannotRead, ReceiverEnd
from app.lineup.receivers import Installations
from app.lineup.temporary import TemporaryReceivers, receivers_at, temporary_endpoint
from app.probes.run import Cancelled, CancelSwitch, ProbeFailed, run
from app.settings import PROJECT_FOLDER

_ACTOR: Final = "line-up test"
_RATE_SECONDS: Final = 10
_BACK_WITHIN_S: Final = 20.0
_LOOK_EVERY_S: Final = 0.2
_LAST_SECONDS_S: Final = 3.0  # the last second of a worker arrives up to this late
_EXTRA_SECONDS: Final = 10


class RateSteps(NamedTuple):
    """Everything that the steps of a run need. `run_id` names the temporary receiver, so that a restart finds it."""

    run_id: str
    plan: Plan
    known: Installations
    cancel: CancelSwitch

    def check(self) -> tuple[Check, ...]:
        """Make the steps, or say why they were not made. Afterwards the stream under test is on air again."""
        plan = self.plan
        if not plan.rate_steps:
            return (not_measured("not requested by the plan", CheckVerdict.SKIPPED),)
        receivers = receivers_at(plan, self.known)
        if plan.stream is None:
            return (not_measured("not made: the far end sends", CheckVerdict.SKIPPED),)
        if receivers is None:
            why = "not made: the receiving end is another product, so what arrives cannot be counted"
            return (not_measured(why, CheckVerdict.SKIPPED),)
        try:
            return tuple(self._step(plan.stream, receivers))
        except Cancelled:
            return (not_measured("cancelled", CheckVerdict.SKIPPED),)
        except (CannotRead, ProbeFailed) as error:
            return (not_measured(f"not measured: {error}"),)
        except ProductError as error:
            return (not_measured(f"not measured: {error.message}"),)

    def _step(self, key: str, receivers: TemporaryReceivers) -> Iterator[Check]:
        snapshot = self.known.streams.get(key)
        spec, dscp = snapshot.spec, None if snapshot.sample is None else snapshot.sample.applied.dscp
        if not isinstance(spec, SendSpec):
            raise CannotRead("this stream does not send")
        name = f"Line-up test {self.run_id}, rate steps"
        for left_behind in receivers.keys_named(name):
            receivers.close(left_behind)
        bitrate_bps = self._bitrate_bps(key)
        remote = spec.endpoint.remote()
        host = "" if remote is None else remote.host
        port = self.known.streams.free_ports()[-1:] if remote is None else [receivers.free_port()]
        if not port:
            raise CannotRead("this host has no free listener port; stop a stream")
        rates = rates_of(bitrate_bps, spec.overhead_percent)
        packets = buffer_packets(latency_ms=spec.latency_ms, bitrate_bps=rates[-1])
        order = RateOrder(host, port[0], spec.latency_ms, dscp or 0, packets, rates)
        endpoint = temporary_endpoint(receivers.called_host() if remote is None else "", port[0])
        with self._resting(key), _opened(receivers, name, endpoint, spec.latency_ms) as end:
            outcome, seconds = self._send(order, end)
        if not outcome.sent:
            where = f"{host}:{port[0]}" if host else f"port {port[0]} of this host"
            why = f"no connection to {where}: {outcome.problem}; open this UDP port on the path"
            raise CannotRead(why)
        yield from judge_steps(self.plan, outcome, seconds, spec.overhead_percent)

    def _bitrate_bps(self, key: str) -> float:
        if self.plan.bitrate_mbps is not None:
            return self.plan.bitrate_mbps * 1e6
        rates = [second.rates.payload_mbps for second in self.known.streams.history(key, _RATE_SECONDS)]
        rates = [rate for rate in rates if rate > 0]
        if not rates:
            raise CannotRead("the stream has no bitrate now; state bitrate_mbps in the plan")
        return 1e6 * sum(rates) / len(rates)

    @contextlib.contextmanager
    def _resting(self, key: str) -> Iterator[None]:
        """Take the stream under test off air, and put it on air again whatever happens."""
        self.known.streams.stop(key, actor=_ACTOR)
        try:
            yield
        finally:
            self.known.streams.restart(key, actor=_ACTOR)
            until = time.monotonic() + _BACK_WITHIN_S
            while self.known.streams.get(key).status.phase is not Phase.DELIVERING and time.monotonic() < until:
                if self.cancel.is_thrown():
                    break
                time.sleep(_LOOK_EVERY_S)

    def _send(self, order: RateOrder, end: ReceiverEnd) -> tuple[RateOutcome, list[ReceiverSecond]]:
        """Run the temporary sender as a child process, then read what arrived."""
        words = msgspec.json.encode(order).decode()
        argv = ("env", "-C", str(PROJECT_FOLDER), sys.executable, "-m", "app.srt.rate_source", words)
        answer = run(argv, timeout_s=order.lasts_s(), cancel=self.cancel)
        try:
            outcome = msgspec.json.decode(answer.stdout, type=RateOutcome)
        except msgspec.DecodeError:
            raise CannotRead(f"the temporary sender failed: {answer.complaint()}") from None
        if not outcome.sent:
            return outcome, []
        time.sleep(_LAST_SECONDS_S)
        return outcome, end.read(int(order.lasts_s()) + _EXTRA_SECONDS)


@contextlib.contextmanager
def _opened(receivers: TemporaryReceivers, name: str, endpoint: Endpoint, latency_ms: int) -> Iterator[ReceiverEnd]:
    key, end = receivers.open(name, endpoint, latency_ms)
    try:
        yield end
    finally:
        receivers.close(key)
