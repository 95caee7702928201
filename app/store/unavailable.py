"""Why the database cannot be used. Apart from what opens it, so that `mcr` need not load a database's programs."""

from __future__ import annotations


class StoreUnavailable(Exception):
    """The database cannot be opened or written; the text says why and names no password."""


class DiskRefuses(StoreUnavailable):
    """The database is there, but it is damaged or its disk is full or read-only: a copy may be read meanwhile."""


class NewerSchema(StoreUnavailable):
    """A newer version of the program made the database, and this one cannot work with its tables."""
