#!/usr/bin/env -S python3 -S
"""Say nothing and succeed."""

import os
import sys

with open(f"{sys.argv[0]}.pids", "a") as file:  # noqa: PTH123 - starts faster without pathlib
    file.write(f"{os.getpid()}\n")
