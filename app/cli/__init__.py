"""The command line `mcr`: a client of the running server, except for `check`, `backup` and `restore`."""
