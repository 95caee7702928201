#!/usr/bin/env -S python3 -S
"""Behaves as an iperf3 whose server closes the control connection.

The error text contains a script and a control character, which must not harm the operator's page.
"""

import os
import sys

with open(f"{sys.argv[0]}.pids", "a") as file:  # noqa: PTH123 - starts faster without pathlib
    file.write(f"{os.getpid()}\n")
sys.stdout.write('{"start": {}, "end": {}, "error": "control socket has closed <script>alert(1)</script>\\u0007\\n"}\n')
sys.exit(1)
