"""Runs the command line for `./mcr`: `python -m app.cli`."""

from __future__ import annotations

from app.cli.commands import main

main()
