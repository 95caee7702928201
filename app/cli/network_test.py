"""`mcr network-test`: measures a network path from the host of the running server."""

from __future__ import annotations

import time
from typing import Final

import click

from app.cli import words
from app.cli.api import Api
from app.cli.faults import reported

_TEST_POLL_S: Final = 1.0


@click.command("network-test")
@click.argument("host")
@click.option("--port", type=int, default=5201, show_default=True, help="Port of the iperf3 server there.")
@click.option("--udp/--tcp", "udp", default=True, show_default=True, help="UDP at the stream's bitrate, or TCP.")
@click.option(
    "--bitrate",
    "bitrate_mbps",
    type=float,
    default=10.0,
    show_default=True,
    metavar="MBPS",
    help="Bitrate of the stream.",
)
@click.option(
    "--seconds", "duration_s", type=int, default=10, show_default=True, help="Duration of the iperf3 run in seconds."
)
@click.pass_obj
def network_test(api: Api, host: str, port: int, udp: bool, bitrate_mbps: float, duration_s: int) -> None:
    """Measure the path to HOST and recommend SRT latency and overhead."""
    order = {
        "mode": "manual",
        "host": host,
        "port": port,
        "protocol": "udp" if udp else "tcp",
        "bitrate_mbps": bitrate_mbps,
        "duration_s": duration_s,
    }
    with reported():
        test = api.post("/api/network-tests", order)
        while test["state"] == "running":
            time.sleep(_TEST_POLL_S)
            test = api.get(f"/api/network-tests/{test['id']}")
    for line in words.network_test_lines(test):
        click.echo(line)
    if test["state"] == "failed":
        raise click.exceptions.Exit(1)
