"""The program's use of this host: versions, clock, logs, locks, systemd."""
