"""The worker process: its loop, its socket and its ledger. It does not know which engine it drives."""
