"""The machine's figures against /proc, read by the test itself."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest

from app.utils import DiskUse, SystemMeter


def busy_and_total() -> tuple[int, int]:
    """Clock ticks of all processors: busy ones, and all (proc(5), the first line of /proc/stat)."""
    user, nice, system, idle, iowait, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    total = user + nice + system + idle + iowait + irq + softirq + steal
    return total - idle - iowait, total


def work_for(seconds: float) -> None:
    """Keep a processor busy for some time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(1000))


def test_the_processor_load_is_that_of_proc_stat_whichever_thread_asks(tmp_path: Path) -> None:
    meter = SystemMeter(lambda: DiskUse(*shutil.disk_usage(tmp_path)))
    busy_before, total_before = busy_and_total()
    work_for(1.5)
    shown: list[float] = []
    asker = threading.Thread(target=lambda: shown.append(meter.read().cpu_percent))
    asker.start()
    asker.join()
    busy, total = busy_and_total()
    assert shown[0] == pytest.approx(100 * (busy - busy_before) / (total - total_before), abs=5)
    assert shown[0] > 20


def test_memory_is_that_of_proc_meminfo(tmp_path: Path) -> None:
    lines = Path("/proc/meminfo").read_text().splitlines()
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    system = SystemMeter(lambda: DiskUse(*shutil.disk_usage(tmp_path))).read()
    assert system.memory_total_bytes == kilobytes["MemTotal"] * 1024
    used = (kilobytes["MemTotal"] - kilobytes["MemAvailable"]) * 1024
    assert system.memory_used_bytes == pytest.approx(used, rel=0.1)


def test_readings_are_shared_for_a_second(tmp_path: Path) -> None:
    meter = SystemMeter(lambda: DiskUse(*shutil.disk_usage(tmp_path)))
    assert meter.read() is meter.read()


def test_a_media_folder_on_a_file_system_without_a_size_is_reported_as_empty() -> None:
    system = SystemMeter(lambda: DiskUse(0, 0, 0)).read()
    assert (system.disk_used_percent, system.disk_free_bytes) == (0.0, 0)
