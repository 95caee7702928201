"""What to recommend for a measured link, and why."""
