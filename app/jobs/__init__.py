"""Work in the background, in one place. What a job does, and what is remembered of it, is its owner's."""
