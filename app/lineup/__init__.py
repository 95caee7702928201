"""Runs line-up tests: reads both ends, checks the configuration, keeps every run on disk."""
