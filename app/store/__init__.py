"""The store: orders, desired states and the event log, through SQLAlchemy. It knows nothing of workers."""
