"""Rehearsals: copies of a stream through relays of this host, to see which latency holds."""
