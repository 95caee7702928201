#!/usr/bin/env -S python3 -S
"""Writes nothing and succeeds."""

import os
import sys

with open(f"{sys.argv[0]}.pids", "a") as file:  # noqa: PTH123 - starts faster without pathlib
    file.write(f"{os.getpid()}\n")
