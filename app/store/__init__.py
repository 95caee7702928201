"""Desired state and event log on disk, through SQLAlchemy. Knows streams as orders; knows nothing of workers."""
