"""Runs external programs (ping, iperf3, ffprobe, mediainfo): argument list, time limit, typed result."""
