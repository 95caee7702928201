"""Several hosts: reports of other installations, and streams that a cluster places."""
