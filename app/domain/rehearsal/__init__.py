"""A rehearsal: one source at several latencies through the same impairment, and which of them held. Pure."""
