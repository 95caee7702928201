"""MCR SRT Streamer: puts MPEG transport streams on SRT and tells the truth about it."""
