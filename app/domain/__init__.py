"""What the product knows, as pure values and functions.

No input or output, no clock, no logging, no Flask, no GStreamer: everything here can be tested with plain data.
"""
