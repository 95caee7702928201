"""Runs rehearsals: copies of a stream through relays of this host, to find which latency holds."""
