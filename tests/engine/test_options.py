"""Every option that a spec turns into is in force on libsrt's socket, read back without the product's reading code."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from app.domain.secret import Secret
from app.domain.spec import BarsSource, CallerEndpoint, Encryption, ListenerEndpoint
from app.engines.gstreamer.gst import Gst
from app.engines.gstreamer.pipeline import build_sink
from app.engines.gstreamer.source import make
from app.protocol import Job
from app.srt.spec_options import gstreamer_uri_parameters
from app.worker.engines import send_spec_of
from tests.instruments.options_in_force import by_hand, of_the_product
from tests.instruments.specs import sent
from tests.instruments.waiting import free_port
from tests.instruments.worker import job_for

# libsrt's name for what a URI parameter sets. A mode is not an option; libsrt rounds buffers to whole units.
SAME_NAME = ("oheadbw", "maxbw", "inputbw", "fc", "sndbuf", "rcvbuf", "iptos", "conntimeo", "peeridletimeo")
FLAGS = ("tlpktdrop", "nakreport")
_READABLE = 1  # G_PARAM_READABLE


def job_of(**spec: Any) -> Job:
    """Return a job for bars on a free port."""
    return job_for(BarsSource(), port=free_port(), **spec)


def sink_of(made: Job) -> Gst.Element:
    """Return the srtsink of a job."""
    return build_sink(made, send_spec_of(made))


def wanted_of(made: Job) -> dict[str, int]:
    """Return the options of a job as libsrt must show them."""
    options = gstreamer_uri_parameters(
        sent(made.spec), dscp=made.dscp, bitrate_bps=made.bitrate_bps, is_constant_bitrate=made.is_constant_bitrate
    )
    assert set(options) == {*SAME_NAME, *FLAGS, "mode"}, "an option that this test does not know"
    return {name: int(options[name]) for name in SAME_NAME} | {name: int(options[name] == "true") for name in FLAGS}


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"latency_ms": 20, "overhead_percent": 1, "qos": False},
        {"latency_ms": 8000, "overhead_percent": 99},
        {"overhead_percent": 5, "latency_ms": 500},
    ],
    ids=str,
)
def test_a_listener_has_every_option_in_force(spec: dict[str, Any]) -> None:
    made = job_of(**spec)
    shown = of_the_product(made)
    assert {name: shown[name] for name in wanted_of(made)} == wanted_of(made)
    assert shown["peerlatency"] == shown["rcvlatency"] == sent(made.spec).latency_ms


def test_a_caller_has_every_option_in_force_while_it_calls() -> None:
    made = job_of(endpoint=CallerEndpoint("127.0.0.1", free_port()), latency_ms=300, overhead_percent=40)
    shown = of_the_product(made)
    assert {name: shown[name] for name in wanted_of(made)} == wanted_of(made)
    assert shown["peerlatency"] == 300


@pytest.mark.parametrize("key_bits", [128, 256])
@pytest.mark.parametrize("passphrase", ["ten bytes!", "å&?#\"'=%20 and more", "x" * 79])
def test_encryption_leaves_every_other_option_in_force(key_bits: Literal[128, 256], passphrase: str) -> None:
    made = job_of(encryption=Encryption(key_bits, Secret(passphrase)), latency_ms=250)
    shown = of_the_product(made)
    assert shown["pbkeylen"] == key_bits // 8
    assert {name: shown[name] for name in wanted_of(made)} == wanted_of(made)
    assert shown["peerlatency"] == 250


def test_without_encryption_there_is_no_key() -> None:
    assert of_the_product(job_of())["pbkeylen"] == 0


def test_an_ipv6_caller_is_possible() -> None:
    assert of_the_product(job_of(endpoint=CallerEndpoint("::1", free_port()), latency_ms=90))["peerlatency"] == 90


class TestHowGStreamerTakesThem:
    """Facts that the product is built around; a version that contradicts them must be met here and not on air."""

    def listener(self, **keys: str) -> str:
        """Return a listener's URI."""
        query = "&".join(f"{name}={value}" for name, value in {"mode": "listener", **keys}.items())
        return f"srt://:{free_port()}?{query}"

    def test_a_key_that_it_does_not_know_does_nothing_and_is_not_complained_about(self) -> None:
        assert by_hand(self.listener(overheadbandwidth="77"))["oheadbw"] == 25
        assert by_hand(self.listener(oheadbw="77"))["oheadbw"] == 77

    def test_transtype_resets_what_was_set(self) -> None:
        with_it = by_hand(self.listener(transtype="live", oheadbw="77", maxbw="0"), ("latency", 350))
        without = by_hand(self.listener(oheadbw="77", maxbw="0"), ("latency", 350))
        assert without["peerlatency"] == 350
        assert with_it["peerlatency"] != 350

    def test_the_uri_clears_the_properties_that_were_set_before_it(self) -> None:
        uri = self.listener()
        assert by_hand(uri, ("latency", 350))["peerlatency"] == 350
        assert by_hand(uri, ("latency", 350), ("uri", uri))["peerlatency"] != 350

    def test_the_uri_clears_encryption_too(self) -> None:
        uri = self.listener()
        secret = (("passphrase", "a passphrase"), ("pbkeylen", 16))
        assert by_hand(uri, *secret)["pbkeylen"] == 16
        assert by_hand(uri, *secret, ("uri", uri))["pbkeylen"] == 0

    def test_the_passphrase_cannot_be_read_back(self) -> None:
        sink = make("srtsink", uri=self.listener())
        sink.set_property("passphrase", "a passphrase")
        assert "a passphrase" not in (sink.get_property("uri") or "")
        assert not int(sink.find_property("passphrase").flags) & _READABLE


def test_a_listener_asks_who_calls_and_a_caller_never_calls_again_by_itself() -> None:
    # In GStreamer 1.22 the two properties share one variable: setting both would undo the first.
    assert sink_of(job_of()).get_property("authentication")
    assert not sink_of(job_of(endpoint=CallerEndpoint("127.0.0.1", 9))).get_property("auto-reconnect")


def test_a_listener_is_a_listener_and_a_caller_a_caller() -> None:
    assert gstreamer_uri_parameters(sent(job_of(endpoint=ListenerEndpoint(10001)).spec), dscp=0)["mode"] == "listener"
    assert (
        gstreamer_uri_parameters(sent(job_of(endpoint=CallerEndpoint("127.0.0.1", 9)).spec), dscp=0)["mode"] == "caller"
    )
