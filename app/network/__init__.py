"""The parts of a network test: finding servers, measuring, reading the findings. `app/network_test.py` runs it."""
