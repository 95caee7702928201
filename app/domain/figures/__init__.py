"""The figures of a stream: counters, samples, rates and history."""
