"""Numbers of MPEG transport streams, DVB, SRT and IP, and the limits of the product: each once, with its source.

A number is listed here when a standard, a library or a measurement sets it and more than one module uses it. House
tests check that the distinctive ones occur as literals in no other module.
"""

from __future__ import annotations

from typing import Final

# ---- transport stream ----

TS_PACKET_BYTES: Final = 188  # ISO/IEC 13818-1, 2.4.3.2
TS_SYNC_BYTE: Final = 0x47  # ISO/IEC 13818-1, 2.4.3.3
PID_MASK: Final = 0x1FFF  # a PID has 13 bits: ISO/IEC 13818-1, 2.4.3.3
PID_COUNT: Final = PID_MASK + 1  # the same
NULL_PID: Final = PID_MASK  # ISO/IEC 13818-1, table 2-3
SDT_PID: Final = 0x0011  # ETSI EN 300 468, table 1
SERVICE_DESCRIPTOR: Final = 0x48  # ETSI EN 300 468, 6.2.33
PCR_INTERVAL_MS_DVB: Final = 40  # ETSI TR 101 290, 2.3b, before V1.4.1; what this program's own bars keep
PCR_INTERVAL_MS_MPEG: Final = 100  # ISO/IEC 13818-1, 2.7.2; ETSI TR 101 290 V1.4.1, 2.3a
PSI_INTERVAL_MS: Final = 500  # ETSI TR 101 290, 1.3a and 1.5a: PAT and PMT
CBR_TOLERANCE: Final = 0.01  # of the mean rate: positions of PCR within it make a constant-rate stream

# ---- IP, UDP and SRT ----

SRT_HEADER_BYTES: Final = 44  # 20 IPv4 + 8 UDP + 16 SRT, as libsrt counts them (srt.h, bytesWithHdr)
TS_PACKETS_PER_SRT_PACKET: Final = 7  # 1316 bytes, with headers inside an Ethernet frame
SRT_PAYLOAD_BYTES: Final = TS_PACKET_BYTES * TS_PACKETS_PER_SRT_PACKET  # 1316, libsrt SRT_LIVE_DEF_PLSIZE
BUFFER_UNIT_BYTES: Final = 1472  # libsrt counts buffers in MSS 1500 less IPv4 and UDP headers

# ---- SRT settings ----

LATENCY_MS_LOWEST: Final = 20  # Haivision SRT Deployment Guide 1.5, "Latency"
LATENCY_MS_HIGHEST: Final = 8000  # the same
OVERHEAD_PERCENT_ASKED: Final = (1, 99)  # what the form accepts
OVERHEAD_PERCENT_LOWEST: Final = 5  # libsrt SRTO_OHEADBW accepts 5..100
OVERHEAD_PERCENT_HIGHEST: Final = OVERHEAD_PERCENT_ASKED[1]  # what can be recommended
OVERHEAD_PERCENT_DEFAULT: Final = 25  # libsrt SRTO_OHEADBW default
SMOOTHING_LATENCY_MS: Final = (0, 1000)  # what the form accepts; tsparse holds that much
PASSPHRASE_BYTES: Final = (10, 79)  # libsrt SRTO_PASSPHRASE, counted in UTF-8
STREAM_ID_BYTES: Final = 512  # libsrt SRTO_STREAMID
CONNECT_TIMEOUT_MS: Final = 3000  # libsrt SRTO_CONNTIMEO default, kept explicit: start answers within it
PEER_IDLE_TIMEOUT_MS: Final = 5000  # libsrt SRTO_PEERIDLETIMEO default, kept explicit: a dead peer is noticed then
BUFFER_PACKETS_LOWEST: Final = 8_192  # libsrt SRTO_SNDBUF default; each connection costs 40 bytes for each of them
RECEIVE_BUFFER_PACKETS: Final = 64  # a sender receives no data; the default would cost memory for every caller

SEND_DROP_MS: Final = 1000  # libsrt's sender drops nothing before this, whatever the latency (srtcore/core.cpp)

# ---- callers of a listener ----

RECEIVERS_MAX: Final = 64  # of one listener: each may cost its send buffer, 1.6 MB at 8 Mb/s
CALLS_AT_ONCE: Final = 64  # of one address: all receivers behind one router that come back in the same moment
CALLS_PER_S_OF_ADDRESS: Final = 5  # after that; a receiver calls again once or twice a second
CALLS_PER_S: Final = 50  # of all addresses; a refused handshake costs libsrt up to 0.2 MB for about a second
NO_ACK_MS: Final = 5000  # a receiver that acknowledges nothing for this long is gone: it acknowledges every 10 ms

# ---- this program's own ----

BARS_BITRATE_BPS: Final = 8_000_000  # the mux rate of the colour bars, null packets included
BITRATE_BPS_ASSUMED: Final = 50_000_000  # sizes buffers when the rate of the source is not known: an HD feed
RTT_MS_ASSUMED: Final = 500  # sizes buffers before the path is known: a satellite hop
SPARK_POINTS: Final = 60  # means in a row's sparkline
SPARK_POINT_S: Final = 5  # seconds that each of them covers
