"""Where workers run: the interface, and workers as local children."""
