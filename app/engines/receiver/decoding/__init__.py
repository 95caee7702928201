"""Picture and loudness of a received stream: decoders that are bounded processes and may end at any time."""
