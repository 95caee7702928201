"""Reading and restamping MPEG transport streams (ISO/IEC 13818-1, ETSI EN 300 468) as pure functions on bytes.

The engine's loop and the media library use the same parsers. Nothing here opens a file; nothing here raises on
hostile bytes: what cannot be parsed is left out.
"""
