"""The parts of the web server that pages and API share: access, limits, errors, services, static files."""
