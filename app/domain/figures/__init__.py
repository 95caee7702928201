"""What is counted and measured of a stream, and what follows from it: counters, samples, rates, history."""
