"""`mcr fleet`: adds this host to a cluster, shows the cluster, and moves streams off a host."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence

import click

from app.fleet.link import look
from app.fleet.parcel import BadParcel, bound_to
from app.fleet.resources import ClusterRefused, Place, place, set_job, stand_by
from app.fleet.setup import BadPlan, Setup, Step, carry_out, parse_members
from app.fleet.view import View

_HOST = click.option(
    *("--host", "hosts"),
    multiple=True,
    required=True,
    metavar="NAME=ADDRESS",
    help="A host of the cluster. Repeat the option for each host, in the same order on all hosts.",
)
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Print what would change and change nothing.")


@click.group()
def fleet() -> None:
    """Manage several hosts with Pacemaker and Corosync; run as root. See docs/fleet.md."""


@fleet.command()
@_HOST
@_DRY_RUN
def create(hosts: Sequence[str], *, dry_run: bool) -> None:
    """Set up the first host of a cluster, with new keys."""
    _apply(lambda: Setup().create(parse_members(hosts), socket.gethostname()), dry_run=dry_run)


@fleet.command()
@_HOST
@_DRY_RUN
def join(hosts: Sequence[str], *, dry_run: bool) -> None:
    """Add this host to the cluster. Copy the cluster's keys to it first."""
    _apply(lambda: Setup().join(parse_members(hosts), socket.gethostname()), dry_run=dry_run)


@fleet.command()
@_DRY_RUN
def leave(*, dry_run: bool) -> None:
    """Move the streams off this host and remove it from the cluster."""
    _apply(lambda: Setup().leave(socket.gethostname()), dry_run=dry_run)


def _apply(plan: Callable[[], list[Step]], *, dry_run: bool) -> None:
    try:
        steps = plan()
        if dry_run:
            for step in steps:
                click.echo(f"would {step.text}")
            return
        if os.geteuid() != 0:
            raise BadPlan("only root can do this: use sudo, or --dry-run")
        carry_out(steps, click.echo)
    except BadPlan as error:
        raise click.ClickException(str(error)) from None


@fleet.command()
def status() -> None:
    """Show the hosts, which host carries which stream, and what is dangerous."""
    view = _look()
    for host in view.hosts:
        state = "offline" if not host.is_online else "standby" if host.is_on_standby else "online"
        carried = sorted(key for key, carrier in view.carriers.items() if carrier == host.name)
        click.echo(f"{host.name}  {state}  {len(carried)} streams")
        for key in carried:
            click.echo(f"  {key}  {view.phases.get(key, 'starting')}")
    for key in sorted(key for key, each in view.ordered.items() if each.is_wanted and key not in view.carriers):
        click.echo(f"not carried: {key}")
    for failure in view.failures:
        click.echo(f"failed: {failure}")
    if (warning := view.warning()) is not None:
        click.secho(warning, fg="red", err=True)
        raise click.exceptions.Exit(1)


@fleet.command()
@click.argument("host")
@click.option("--return", "returns", is_flag=True, help="Allow the host to carry streams again.")
@_DRY_RUN
def drain(host: str, *, returns: bool, dry_run: bool) -> None:
    """Move every stream off a host for maintenance."""
    view = _look()
    if host not in [each.name for each in view.hosts]:
        raise click.ClickException(f"no host {host}; there are {', '.join(each.name for each in view.hosts)}")
    moving = sorted(key for key, carrier in view.carriers.items() if carrier == host)
    would = "would " if dry_run else ""
    if returns:
        click.echo(f"{would}allow {host} to carry streams again; streams that moved stay where they are")
    else:
        others = [each for each in view.hosts if each.name != host and each.is_online and not each.is_on_standby]
        if not others:
            raise click.ClickException(f"no other host can carry the streams of {host}")
        click.echo(f"{would}move {len(moving)} streams off {host}: {' '.join(moving)}")
    if dry_run:
        return
    try:
        stand_by(host, is_on=not returns)
    except ClusterRefused as refusal:
        raise click.ClickException(str(refusal)) from None


@fleet.command("place")
@click.argument("key")
@click.option("--host", default="", help="Only on this host.")
@click.option("--needs", default="", help="Only on hosts whose node attribute of that name is 1, such as vlan-20.")
@click.option("--apart-from", default="", help="Never on the host that carries the stream with this key.")
@click.option("--address", default="", help="An address that moves with the stream, such as 192.0.2.9/24.")
def place_stream(key: str, **where: str) -> None:
    """Set where a stream may run; without options, on any host. Replaces the earlier placement."""
    ordered = _look().ordered.get(key)
    if ordered is None:
        raise click.ClickException(f"the cluster has no stream {key}; mcr fleet status lists them")
    try:
        parcel = bound_to(ordered.parcel, where["address"].partition("/")[0])
        if not where["address"]:
            set_job(key, parcel)
        place(key, Place(**where))
        if where["address"]:  # the listener can bind the address only after it was added to the host
            set_job(key, parcel)
    except (ClusterRefused, BadParcel) as refusal:
        raise click.ClickException(str(refusal)) from None


def _look() -> View:
    try:
        return look()
    except ClusterRefused as refusal:
        raise click.ClickException(f"the cluster does not answer: {refusal}") from None
