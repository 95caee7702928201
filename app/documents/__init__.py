"""The documentation as pages: which documents there are, and how Markdown becomes HTML. Without Flask."""
