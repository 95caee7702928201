"""What a relay does to the datagrams of an SRT link: the settings, their rules and the resulting schedule.

Pure: no clock, no socket. `app/engines/relay` asks the schedule what happens to each datagram and does it.
"""
