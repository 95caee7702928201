"""The line-up test as values and rules: what is planned, what was measured, and what follows from it."""
