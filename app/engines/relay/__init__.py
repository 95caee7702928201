"""The relay: a UDP socket loop that does to SRT datagrams what `domain.impairment` decides."""
