"""The values and rules of the product, as pure functions and types.

No input or output, no clock, no logging, no Flask, no GStreamer: everything here can be tested with plain data.
"""
