"""What a receive stream does with its bytes besides measuring them: recording, forwarding, picture, loudness.

Each output takes payloads without ever blocking, works in its own thread or child process, and reports a typed state.
An output that fails says why and leaves the reception alone.
"""
