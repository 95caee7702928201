"""Work in the background. The owner of a job knows what it does, and what to keep of it."""
