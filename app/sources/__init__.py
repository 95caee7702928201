"""Sources of transport packets with the times at which they are due, without GStreamer."""
