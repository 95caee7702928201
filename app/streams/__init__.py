"""The parts of the stream manager: jobs for workers, taking over from an earlier process, faults of a form."""
