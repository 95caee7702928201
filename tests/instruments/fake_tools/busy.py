#!/usr/bin/env -S python3 -S
"""Behaves as an iperf3 whose server is busy with another test."""

import os
import sys

with open(f"{sys.argv[0]}.pids", "a") as file:  # noqa: PTH123 - starts faster without pathlib
    file.write(f"{os.getpid()}\n")
sys.stdout.write('{"start": {}, "end": {}, "error": "error - the server is busy running a test. try again later"}\n')
sys.exit(1)
