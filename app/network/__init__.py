"""The parts of a network test: server list, measurement, findings. `app/network_test.py` runs tests."""
