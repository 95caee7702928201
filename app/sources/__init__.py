"""Transport packets and the times at which they are due, without GStreamer."""
