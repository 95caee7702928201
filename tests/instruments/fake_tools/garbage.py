#!/usr/bin/env -S python3 -S
"""Writes bytes that are neither text nor an answer."""

import os
import sys

with open(f"{sys.argv[0]}.pids", "a") as file:  # noqa: PTH123 - starts faster without pathlib
    file.write(f"{os.getpid()}\n")
sys.stdout.buffer.write(bytes(range(256)) * 8 + b'{"end": [')
