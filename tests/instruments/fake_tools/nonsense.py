#!/usr/bin/env -S python3 -S
"""Behaves as an iperf3 that reports more lost packets than were sent, and a ping with more replies than requests."""

import os
import sys

with open(f"{sys.argv[0]}.pids", "a") as file:  # noqa: PTH123 - starts faster without pathlib
    file.write(f"{os.getpid()}\n")
if sys.argv[0].endswith("ping"):
    sys.stdout.write("5 packets transmitted, 9 received, 0% packet loss\nrtt min/avg/max/mdev = 9.0/1.0/3.0/0.0 ms\n")
else:
    sys.stdout.write(
        '{"start": {"tcp_mss_default": -1}, "end": {"sum": {"packets": 5, "lost_packets": 9, "seconds": 1,'
        ' "bits_per_second": 1e6}, "sum_sent": {}, "sum_received": {"bits_per_second": -5, "seconds": 1}}}\n'
    )
