"""What a worker must do for its client, with every engine. Pretended and real workers pass the same tests."""

from __future__ import annotations

import signal
import socket
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from app.domain.secret import Secret
from app.domain.spec import Encryption, FileSource, MulticastSource, Source
from app.domain.status import Reason
from app.protocol import LINE_BYTES_MAX, PROTOCOL_VERSION, Debug, Ended, Hello, History, Ready, Report, Sample, Stop
from tests.instruments.child import Child
from tests.instruments.fake_worker import RUNAWAY_BYTES_A_SECOND
from tests.instruments.specs import listener_port
from tests.instruments.waiting import free_port, wait_for
from tests.instruments.worker import FAKE, REAL, Conversation, RunningWorker, job_for

PASSPHRASE = "never to be seen again"
Start = Callable[..., RunningWorker]


@pytest.fixture(
    params=[(FAKE, "auto"), (REAL, "gstreamer"), (REAL, "direct")], ids=["pretended", "gstreamer", "direct"]
)
def carrier(request: pytest.FixtureRequest) -> tuple[tuple[str, ...], str]:
    """The command that starts the worker, and the engine that its job asks for."""
    argv, engine = request.param
    return tuple(argv), engine


@pytest.fixture
def argv(carrier: tuple[tuple[str, ...], str]) -> tuple[str, ...]:
    """The command that starts the worker."""
    return carrier[0]


@pytest.fixture
def start(carrier: tuple[tuple[str, ...], str], sample: Path) -> Iterator[Start]:
    """Starts workers that loop the sample on a free port."""
    argv, engine = carrier
    with ExitStack() as running:

        def start(*, name: str = "", port: int | None = None) -> RunningWorker:
            job = job_for(
                FileSource("bars.ts"),
                port=port or free_port(),
                file_path=sample,
                name=name,
                engine=engine,
                encryption=Encryption(128, Secret(PASSPHRASE)),
            )
            return running.enter_context(RunningWorker(job, argv=argv))

        yield start


@pytest.fixture
def worker(start: Start) -> RunningWorker:
    """A worker on air."""
    worker = start()
    worker.link.wait_for(Ready)
    return worker


def kinds(link: Conversation) -> list[str]:
    """Return the kinds of the messages received; repeated messages of one kind count once."""
    names = [type(message).__name__ for message in link.messages]
    return [name for name, before in zip(names, ["", *names], strict=False) if name != before]


def test_it_says_who_it_is_then_what_was_then_that_it_plays_then_samples(worker: RunningWorker) -> None:
    worker.link.wait_for(Sample)
    assert kinds(worker.link) == ["Hello", "History", "Ready", "Sample"]
    (hello,) = worker.link.heard(Hello)
    assert (hello.key, hello.pid, hello.protocol) == ("test", worker.child.pid, PROTOCOL_VERSION)
    assert hello.spec["endpoint"] == {"mode": "listener", "port": listener_port(worker.job.spec)}
    assert abs(hello.started_at - time.time()) < 60


def test_the_passphrase_is_in_nothing_that_it_says_or_leaves(worker: RunningWorker) -> None:
    worker.link.say(Report())
    worker.link.wait_for(Debug)
    worker.link.wait_for(Sample)
    worker.link.say(Stop())
    worker.wait_for_end()
    assert worker.link.heard(Hello)[0].spec["encryption"] == {"key_bits": 128}
    assert PASSPHRASE not in repr(worker.link.messages)
    left = [path.read_text() for path in worker.socket_path.parent.iterdir()]
    assert PASSPHRASE not in "".join([*left, worker.child.complaints(), worker.child.output()])


def test_a_sample_comes_each_second(worker: RunningWorker) -> None:
    worker.link.wait_for(Sample, after=4)
    times = [sample.point.at for sample in worker.link.heard(Sample)]
    assert all(0.5 < after - before < 2 for before, after in pairwise(times))


def test_counters_of_the_input_rise(worker: RunningWorker) -> None:
    first = worker.link.wait_for(Sample)
    worker.link.wait_for(
        Sample, lambda sample: sample.input.bytes_total > first.input.bytes_total + 500_000, deadline_s=10
    )


def test_its_socket_is_for_its_own_user_only(worker: RunningWorker) -> None:
    assert stat.S_IMODE(worker.socket_path.stat().st_mode) == 0o600


def test_a_stop_is_said_left_behind_and_a_good_end(worker: RunningWorker) -> None:
    worker.link.say(Stop())
    assert worker.child.wait(deadline_s=10) == 0
    (said,) = worker.link.heard(Ended)
    assert said.reason is None
    assert worker.last_word() == said
    assert not worker.socket_path.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_as_a_stop_does(worker: RunningWorker, number: signal.Signals) -> None:
    worker.child.process.send_signal(number)
    assert worker.child.wait(deadline_s=10) == 0
    assert worker.last_word() == worker.link.wait_for(Ended)
    assert worker.link.heard(Ended)[0].reason is None


def test_the_last_sample_before_an_ordered_end_is_marked_as_such(worker: RunningWorker) -> None:
    worker.link.wait_for(Sample)
    worker.link.say(Stop())
    last = worker.link.wait_for(Sample, lambda sample: sample.is_last)
    assert worker.link.heard(Sample)[-1] == last


def test_a_report_is_given_when_asked(worker: RunningWorker) -> None:
    worker.link.say(Report())
    assert worker.link.wait_for(Debug).values["engine"] == worker.link.heard(Hello)[0].engine


def test_it_goes_on_alone_and_tells_the_next_who_comes_what_was_meanwhile(worker: RunningWorker) -> None:
    worker.link.wait_for(Sample)
    seen = [sample.point for sample in worker.link.heard(Sample)]
    worker.link.close()
    time.sleep(2.2)  # no one listens
    link = worker.connect()
    points = link.wait_for(History).readings()
    assert points[: len(seen)] == seen
    assert len(points) >= len(seen) + 2
    times = [point.at for point in points]
    assert times == sorted(set(times))
    assert link.wait_for(Sample).point.at > times[-1]
    assert kinds(link) == ["Hello", "History", "Ready", "Sample"]


def test_two_may_listen_at_once_and_both_may_order(worker: RunningWorker) -> None:
    other = worker.connect()
    point = other.wait_for(Sample).point
    worker.link.wait_for(Sample, lambda sample: sample.point == point)
    other.say(Report())
    worker.link.wait_for(Debug)
    worker.link.say(Stop())
    assert other.wait_for(Ended).reason is None


@pytest.mark.parametrize(
    "garbage", [b"\n", b"{}\n", b"stop\n", b'{"type":"launch"}\n', b"\xff\x00\xfe\n" * 50, b"[" * 9999]
)
def test_garbage_asks_nothing_of_it(worker: RunningWorker, garbage: bytes) -> None:
    worker.link.say(garbage)
    worker.link.wait_for_next(Sample)
    assert worker.link.is_open
    if garbage.endswith(b"\n"):
        worker.link.say(Report())
        worker.link.wait_for(Debug)


def test_a_line_without_an_end_costs_that_connection_and_nothing_else(worker: RunningWorker) -> None:
    flood = worker.connect()
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        flood.say(b"x" * 3 * LINE_BYTES_MAX)
    worker.link.wait_for_next(Sample)


def test_one_who_never_reads_does_not_hold_it_up(start: Start) -> None:
    worker = start(name="chatty")
    worker.link.wait_for(Ready)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sleeper:
        sleeper.connect(str(worker.socket_path))
        for count in range(300):  # some megabytes more than are kept for one who does not read
            worker.link.say(Report())
            worker.link.wait_for(Debug, after=count, deadline_s=10)
        worker.link.wait_for_next(Sample)
        worker.link.say(Stop())
        assert worker.child.wait(deadline_s=10) == 0


def test_one_who_hangs_up_in_the_middle_of_an_order_is_forgotten(worker: RunningWorker) -> None:
    hasty = worker.connect()
    hasty.say(b'{"type":"sto')
    hasty.close()
    worker.link.wait_for_next(Sample)
    assert worker.child.is_running()


def test_what_it_cannot_start_it_ends_with_the_reason(start: Start) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other_program:
        other_program.bind(("", free_port()))
        port = other_program.getsockname()[1]
        worker = start(name="cannot port_in_use", port=port)
        assert worker.child.wait(deadline_s=15) == 1
    word = worker.last_word()
    assert word is not None
    assert (word.reason, bool(word.detail)) == (Reason.PORT_IN_USE, True)
    assert not worker.socket_path.exists()


def test_what_nobody_expected_is_an_end_with_a_reason_too(sample: Path) -> None:
    job = job_for(FileSource("bars.ts"), port=free_port(), file_path=sample, name="surprise")
    with RunningWorker(job, argv=FAKE) as worker:
        end = worker.wait_for_end()
        assert (end.reason, end.detail) == (Reason.ENGINE_ERROR, "RuntimeError: not expected")
        assert worker.child.process.returncode == 1
        assert "Traceback" in worker.child.complaints()


@pytest.mark.parametrize("source", [FileSource("bars.ts"), MulticastSource("239.1.1.1", 1234)], ids=["file", "group"])
def test_an_engine_that_sends_far_too_much_is_stopped_before_the_network_sees_a_second_of_it(
    sample: Path, source: Source
) -> None:
    file_path = sample if isinstance(source, FileSource) else None
    job = job_for(source, port=free_port(), file_path=file_path, name="receiver runaway")
    with RunningWorker(job, argv=FAKE) as worker:
        worker.link.wait_for(Ready)
        end = worker.wait_for_end(deadline_s=15)
        assert end.reason is Reason.RUNAWAY
        assert "Mb/s are expected" in end.detail
        last = worker.link.wait_for(Sample, lambda sample: sample.is_last).point
        too_much = last.payload_bytes_total - last.input_bytes_total
        assert 0 < too_much < RUNAWAY_BYTES_A_SECOND


@pytest.mark.parametrize("line", [b"\n", b"nonsense\n", b'{"key":"test"}\n', b""])
def test_without_a_job_it_leaves_at_once(argv: tuple[str, ...], line: bytes) -> None:
    with Child(argv, first_line=line) as worker:
        assert worker.process.stdin is not None
        worker.process.stdin.close()
        assert worker.wait(deadline_s=10) != 0
        assert "DecodeError" in worker.complaints() or "ValidationError" in worker.complaints()


def test_it_leaves_nothing_running_and_nothing_open(worker: RunningWorker) -> None:
    worker.link.say(Stop())
    worker.wait_for_end()
    port = listener_port(worker.job.spec)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:

        def is_bound() -> bool:
            probe.bind(("", port))
            return True

        wait_for(is_bound, deadline_s=1, what="its port to be free again")
