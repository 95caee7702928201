"""What `mcr probe` accepts on its command line."""

from __future__ import annotations

import click
import pytest

from app.cli.probe_report import api_of
from app.cli.probe_target import Duration, probe_spec
from app.domain.spec import CallerEndpoint, ListenerEndpoint


def test_a_url_with_a_host_calls_and_one_without_listens() -> None:
    calling = probe_spec("srt://192.0.2.1:9000?latency=350&streamid=a", key_bits=None, passphrase=None)
    assert calling.endpoint == CallerEndpoint(host="192.0.2.1", port=9000)
    assert (calling.latency_ms, calling.stream_id) == (350, "a")
    assert probe_spec("srt://:9000", key_bits=None, passphrase=None).endpoint == ListenerEndpoint(port=9000)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("srt://192.0.2.1:9000?passphrase=0123456789", "leave out the passphrase"),
        ("http://192.0.2.1:9000", "srt://host:port"),
        ("srt://192.0.2.1", "has no port"),
        ("srt://[2001:db8::1:9000", "Invalid IPv6 URL"),
        ("srt://192.0.2.1:90000", "Port out of range"),
        ("srt://192.0.2.1:9000?latncy=3", "latncy: not known"),
        ("srt://192.0.2.1:9000?latency=9000", "Latency: 9000 is outside"),
        ("srt://192.0.2.1:9000?latency=fast", "whole number"),
    ],
)
def test_what_cannot_be_probed_is_named(url: str, said: str) -> None:
    with pytest.raises(click.UsageError) as error:
        probe_spec(url, key_bits=None, passphrase=None)
    assert said in error.value.message


def test_a_short_passphrase_is_refused_without_being_shown() -> None:
    with pytest.raises(click.UsageError) as error:
        probe_spec("srt://192.0.2.1:9000", key_bits=256, passphrase="secret")
    assert "Passphrase" in error.value.message
    assert "secret" not in error.value.message


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("30s", 30), ("15m", 900), ("2h", 7200)])
def test_a_duration_has_a_unit(text: str, seconds: int) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "1d", "5 m"])
def test_no_duration_is_a_usage_error(text: str) -> None:
    with pytest.raises(click.UsageError):
        Duration().convert(text, None, None)


@pytest.mark.parametrize("url", ["http://[2001:db8::1", "http://192.0.2.1:90000", "ftp://192.0.2.1", "http://"])
def test_an_address_that_no_report_can_be_posted_to_is_a_usage_error(url: str) -> None:
    with pytest.raises(click.UsageError):
        api_of(url, None)
