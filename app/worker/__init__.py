"""The worker process: its loop, its socket and its ledger. It does not depend on a particular engine."""
