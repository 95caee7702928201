"""The outputs of a receive stream: recording, forwarding, picture, loudness.

Each output takes payloads without blocking, works in its own thread or child process, and reports a typed state. An
output that fails reports why and does not affect the reception.
"""
