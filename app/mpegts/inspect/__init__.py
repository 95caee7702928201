"""Examines a transport stream: a first look, a whole analysis, a live analysis."""
