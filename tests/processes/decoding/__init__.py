"""Picture and loudness: decoders as bounded processes, and what they report."""
