"""Picture and loudness of a received stream, from decoders in bounded processes that may end at any time."""
