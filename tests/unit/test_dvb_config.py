"""What a spec becomes in libsrt's own words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import dvb_config
from app.domain.constants import RTT_MS_ASSUMED
from app.domain.link_budget import applied_overhead_percent, buffer_packets
from app.domain.secret import Secret
from app.domain.spec import CallerEndpoint, Encryption, FileSource, ListenerEndpoint, SendSpec
from app.srt.spec_options import gstreamer_uri_parameters

LISTENER = SendSpec(endpoint=ListenerEndpoint(port=10001), source=FileSource(path="bars.ts"))


def spec(**fields: object) -> SendSpec:
    """Return a listener with some fields changed."""
    return SendSpec(**({"endpoint": LISTENER.endpoint, "source": LISTENER.source} | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(("asked", "applied"), [(1, 5), (4, 5), (5, 5), (25, 25), (99, 99)])
def test_an_overhead_below_what_libsrt_takes_is_raised_to_it(asked: int, applied: int) -> None:
    assert applied_overhead_percent(asked) == applied
    options = gstreamer_uri_parameters(spec(overhead_percent=asked), dscp=34)
    assert options["oheadbw"] == str(applied)
    # Any other maxbw makes libsrt ignore the overhead.
    assert options["maxbw"] == "0"


@pytest.mark.parametrize(("dscp", "tos"), [(34, "136"), (46, "184"), (0, "0"), (63, "252")])
def test_quality_of_service_is_the_dscp_in_the_upper_six_bits_of_the_tos_byte(dscp: int, tos: str) -> None:
    assert gstreamer_uri_parameters(spec(qos=True), dscp=dscp)["iptos"] == tos
    assert gstreamer_uri_parameters(spec(qos=False), dscp=dscp)["iptos"] == "0"


def test_the_mode_is_the_endpoint_s() -> None:
    assert gstreamer_uri_parameters(LISTENER, dscp=0)["mode"] == "listener"
    caller = spec(endpoint=CallerEndpoint(host="192.0.2.10", port=9000))
    assert gstreamer_uri_parameters(caller, dscp=0)["mode"] == "caller"


@given(
    latency_ms=st.integers(20, 8000),
    overhead_percent=st.integers(1, 99),
    qos=st.booleans(),
    bitrate_bps=st.none() | st.integers(64_000, 200_000_000),
)
def test_every_option_is_one_that_gstreamer_and_libsrt_understand(
    latency_ms: int, overhead_percent: int, qos: bool, bitrate_bps: int | None
) -> None:
    asked = spec(
        latency_ms=latency_ms,
        overhead_percent=overhead_percent,
        qos=qos,
        encryption=Encryption(128, Secret("ten letters")),
    )
    options = gstreamer_uri_parameters(asked, dscp=34, bitrate_bps=bitrate_bps)
    assert set(options) == {
        *("mode", "oheadbw", "maxbw", "inputbw", "tlpktdrop", "nakreport", "fc", "sndbuf", "rcvbuf", "iptos"),
        *("conntimeo", "peeridletimeo"),
    }
    assert options["tlpktdrop"] == options["nakreport"] == "true"
    assert 5 <= int(options["oheadbw"]) <= 100
    # SRTO_SNDBUF is a 32-bit int in bytes; libsrt rejects what does not fit.
    assert 0 < int(options["sndbuf"]) < 2**31
    assert int(options["fc"]) >= 32
    assert "ten letters" not in str(options)


@given(latency_ms=st.integers(20, 8000), bitrate_bps=st.integers(64_000, 200_000_000))
def test_buffers_hold_the_latency_and_half_a_round_trip_of_the_bitrate(latency_ms: int, bitrate_bps: int) -> None:
    needed = (latency_ms + RTT_MS_ASSUMED / 2) * bitrate_bps / 8 / 1316 / 1000
    options = gstreamer_uri_parameters(spec(latency_ms=latency_ms), dscp=0, bitrate_bps=bitrate_bps)
    assert int(options["fc"]) >= needed
    assert int(options["sndbuf"]) / 1472 >= needed


def test_a_longer_latency_or_a_higher_bitrate_needs_more_buffer() -> None:
    small = buffer_packets(latency_ms=200, bitrate_bps=8_000_000)
    assert buffer_packets(latency_ms=400, bitrate_bps=8_000_000) > small
    assert buffer_packets(latency_ms=200, bitrate_bps=16_000_000) > small


def test_an_srt_packet_carries_seven_transport_packets() -> None:
    assert dvb_config.SRT_PAYLOAD_BYTES == 1316


def test_a_constant_rate_is_given_to_libsrt_with_its_headers_and_an_unknown_one_is_left_to_measure() -> None:
    asked = spec()
    constant = gstreamer_uri_parameters(asked, dscp=0, bitrate_bps=8_000_000, is_constant_bitrate=True)
    assert 1_000_000 * 1360 / 1316 < int(constant["inputbw"]) < 1.02 * 1_000_000 * 1360 / 1316
    assert gstreamer_uri_parameters(asked, dscp=0, bitrate_bps=8_000_000)["inputbw"] == "0"
    assert gstreamer_uri_parameters(asked, dscp=0, is_constant_bitrate=True)["inputbw"] == "0"
