"""Launchers start workers: the interface, and the launcher for this host."""
