"""Runs line-up tests: reads both ends, checks the configuration, stores every run."""
