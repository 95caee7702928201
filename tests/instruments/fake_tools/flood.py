#!/usr/bin/env -S python3 -S
"""Writes about 50 MB of ping answers."""

import os
import sys

with open(f"{sys.argv[0]}.pids", "a") as file:  # noqa: PTH123 - starts faster without pathlib
    file.write(f"{os.getpid()}\n")
for _ in range(50):
    sys.stdout.write("64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=1 ms\n" * 20_000)
