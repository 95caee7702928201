"""Presets and the address book: kept in memory, stored among the orders, exported and imported as one document."""
