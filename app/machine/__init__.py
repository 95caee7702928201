"""What this host is and what the program needs of it: versions, clock, logs, locks, systemd."""
