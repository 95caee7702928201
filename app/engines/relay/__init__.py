"""The relay: a UDP socket loop that carries out the decisions of `domain.impairment` for each datagram."""
