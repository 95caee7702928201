"""Work in the background, in one place. The owner of a job knows what it does and what is kept of it."""
