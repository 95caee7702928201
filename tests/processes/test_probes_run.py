"""The bounded runner: whatever the program does, the call returns in time and leaves no process."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.probes.run import Cancelled, CancelSwitch, ProgramMissing, TimedOut, TooMuchOutput, run

PATIENCE_S = 5.0


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def is_alive(pid: int | None) -> bool:
    """Return whether the process exists. A zombie counts as alive: it was not reaped."""
    return Path(f"/proc/{pid}").exists()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.01)


def read_pid(path: Path) -> int:
    wait_for(lambda: path.exists() and path.read_text().strip() != "", f"{path} written")
    return int(path.read_text())


def test_the_outcome_has_both_outputs_and_the_return_code() -> None:
    outcome = run(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"), timeout_s=PATIENCE_S)
    assert (outcome.stdout, outcome.stderr, outcome.returncode) == (b"out\n", b"err\n", 3)
    assert outcome.complaint() == "err"


def test_arguments_reach_the_program_as_they_are_because_no_shell_reads_them() -> None:
    argument = "a b; echo $HOME `id` 'x' * \n"
    outcome = run([*python("import sys; sys.stdout.write(sys.argv[1])"), argument], timeout_s=PATIENCE_S)
    assert outcome.text() == argument


def test_secrets_of_our_environment_do_not_reach_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "s" * 32)
    monkeypatch.setenv("API_KEY", "k")
    outcome = run(python("import os; print(sorted(os.environ))"), timeout_s=PATIENCE_S)
    assert "SECRET_KEY" not in outcome.text()
    assert "API_KEY" not in outcome.text()
    assert "LC_ALL" in outcome.text()


def test_a_missing_program_is_named() -> None:
    with pytest.raises(ProgramMissing) as caught:
        run(["/nonexistent/iperf3", "-J"], timeout_s=1)
    assert caught.value.program == "iperf3"
    assert caught.value.message == "iperf3 is not installed; it comes with the package iperf3"


def test_a_program_that_may_not_be_executed_says_why(tmp_path: Path) -> None:
    script = tmp_path / "ping"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o600)
    with pytest.raises(ProgramMissing, match="Permission denied"):
        run([str(script)], timeout_s=1)


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    leader, grandchild = tmp_path / "leader", tmp_path / "grandchild"
    code = (
        "import os, subprocess, sys, time\n"
        f"open({str(leader)!r}, 'w').write(str(os.getpid()))\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(grandchild)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    with pytest.raises(TimedOut) as caught:
        run(python(code), timeout_s=1.5)
    assert "within 1.5 s" in caught.value.message
    assert not is_alive(read_pid(leader))
    wait_for(lambda: not is_alive(read_pid(grandchild)), "the grandchild gone")


def test_a_program_that_ignores_sigterm_is_killed_too(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(pid)!r}, 'w').write(str(os.getpid()))\n"
        "time.sleep(600)\n"
    )
    with pytest.raises(TimedOut):
        run(python(code), timeout_s=1)
    assert not is_alive(read_pid(pid))


def test_a_child_that_keeps_the_pipes_open_does_not_hold_up_the_answer(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(pid)!r}, 'w').write(str(child.pid))\n"
        "print('done')\n"
    )
    outcome = run(python(code), timeout_s=PATIENCE_S)
    assert outcome.stdout == b"done\n"
    wait_for(lambda: not is_alive(read_pid(pid)), "the child left behind is gone")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_fifty_megabytes_of_output_end_at_the_limit(stream: str, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = (
        "import os, sys\n"
        f"open({str(pid)!r}, 'w').write(str(os.getpid()))\n"
        f"for _ in range(50): sys.{stream}.write('x' * 1000000)\n"
    )
    with pytest.raises(TooMuchOutput) as caught:
        run(python(code), timeout_s=PATIENCE_S, output_bytes_max=200_000)
    assert "200000 bytes" in caught.value.message
    assert not is_alive(read_pid(pid))


def test_all_of_the_output_up_to_the_limit_is_kept() -> None:
    outcome = run(
        python("import sys; sys.stdout.write('x' * 900000)"), timeout_s=PATIENCE_S, output_bytes_max=1_000_000
    )
    assert len(outcome.stdout) == 900_000


def test_a_thrown_switch_ends_the_program_at_once(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    switch = CancelSwitch()
    ends: list[str] = []

    def work() -> None:
        code = f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)\n"
        try:
            run(python(code), timeout_s=600, cancel=switch)
        except Cancelled as cancelled:
            ends.append(str(cancelled))

    thread = threading.Thread(target=work)
    thread.start()
    child = read_pid(pid)
    assert os.getsid(child) == child
    switch.throw()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert len(ends) == 1
    assert not is_alive(child)


def test_nothing_starts_once_the_switch_was_thrown() -> None:
    switch = CancelSwitch()
    switch.throw()
    with pytest.raises(Cancelled):
        run(["/nonexistent/program"], timeout_s=1, cancel=switch)


def test_a_program_over_its_memory_limit_fails_and_we_do_not() -> None:
    code = "import time\ntime.sleep(0.3)\nx = bytearray(400 * 1024 * 1024)\nprint(len(x))\n"
    outcome = run(python(code), timeout_s=PATIENCE_S, memory_bytes_max=200 * 1024 * 1024)
    assert outcome.returncode != 0
    assert "MemoryError" in outcome.complaint()


def test_no_descriptor_is_left_open() -> None:
    run(python("print()"), timeout_s=PATIENCE_S)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        run(python("print()"), timeout_s=PATIENCE_S, cancel=CancelSwitch())
        with pytest.raises(ProgramMissing):
            run(["/nonexistent/program"], timeout_s=1)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
