"""Presets and the address book: kept in memory, stored with the orders, exported and imported as one document."""
