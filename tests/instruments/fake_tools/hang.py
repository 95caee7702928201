#!/usr/bin/env -S python3 -S
"""Hangs with a child that hangs too; both ignore SIGTERM."""

import os
import signal
import sys

signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    with open(f"{sys.argv[0]}.pids", "a") as file:  # noqa: PTH123 - starts faster without pathlib
        file.write(f"{os.getpid()}\n{child}\n")
while True:
    signal.pause()
