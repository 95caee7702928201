"""What `./mcr` runs: `python -m app.cli`."""

from __future__ import annotations

from app.cli.commands import main

main()
