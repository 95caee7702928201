"""Converts facts of the services to what pages and the API show: words, rounding, severities. Pure; no Flask."""
