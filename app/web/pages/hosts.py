"""The page of all hosts."""

from __future__ import annotations

from flask import Blueprint, render_template

from app.web.services import services

host_pages = Blueprint("host_pages", __name__)


@host_pages.get("/hosts")
def all_hosts() -> str:
    """Show all streams of all hosts, with a filter by host. Other hosts are read-only."""
    return render_template("hosts.html", has_others=bool(services().hosts.hosts))
