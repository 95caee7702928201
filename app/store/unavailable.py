"""Errors of the store. They are in a separate module so that `mcr` need not load a database library."""

from __future__ import annotations


class StoreUnavailable(Exception):
    """The database cannot be opened or written; the text says why and names no password."""


class DiskRefuses(StoreUnavailable):
    """The database exists, but it is damaged, or its disk is full or read-only: a copy may be read meanwhile."""


class NewerSchema(StoreUnavailable):
    """A newer version of the program made the database, and this version cannot use its tables."""
