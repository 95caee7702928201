"""Reads and restamps MPEG transport streams (ISO/IEC 13818-1, ETSI EN 300 468) as pure functions on bytes.

The engine's loop and the media library use the same parsers. No function opens a file, and none raises on hostile
bytes: parts that cannot be parsed are left out.
"""
