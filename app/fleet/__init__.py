"""Several hosts: what the other installations report."""
