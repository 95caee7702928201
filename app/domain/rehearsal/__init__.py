"""Rehearsals: one source at several latencies through the same impairment, to find which latencies hold. Pure."""
