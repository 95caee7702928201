"""What every request passes through, page or API: access, limits, errors, services, static files."""
