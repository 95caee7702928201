"""A cluster's plan, its configuration and its view, without a cluster."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from app.domain.secret import Secret
from app.domain.spec import BarsSource, Encryption, ListenerEndpoint, SendSpec
from app.fleet.parcel import pack, read_fleet_key, unpack
from app.fleet.resources import Ordered, Place, ask, configuration_of, placement_of
from app.fleet.setup import BadPlan, Member, Setup, carry_out, corosync_configuration, parse_members
from app.fleet.view import parse_view
from app.protocol import Job
from app.store.cipher import Cipher

THREE = [Member("mcr-a", "192.0.2.1"), Member("mcr-b", "192.0.2.2"), Member("mcr-c", "192.0.2.3")]


def monitor(hosts: int, *, quorum: str = "true", fencing: str = "false", policy: str = "stop") -> ET.Element:
    nodes = "".join(f'<node name="h{number}" online="true"/>' for number in range(hosts))
    options = f'<cluster_options stonith-enabled="{fencing}" no-quorum-policy="{policy}"/>'
    summary = f'<summary><current_dc with_quorum="{quorum}"/>{options}</summary>'
    return ET.fromstring(f"<r>{summary}<nodes>{nodes}</nodes></r>")


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (monitor(3), None),
        (monitor(2), "two hosts and no fencing"),
        (monitor(2, fencing="true"), None),
        (monitor(3, quorum="false"), "no quorum"),
        (monitor(3, policy="ignore"), "no-quorum-policy is not stop"),
    ],
)
def test_a_cluster_that_could_send_a_stream_twice_is_warned_about(seen: ET.Element, words: str | None) -> None:
    warning = parse_view(seen, ET.Element("resources")).warning()
    assert warning is None if words is None else words in str(warning)


def test_a_view_of_words_that_are_not_pacemakers_is_empty_and_has_no_quorum() -> None:
    view = parse_view(ET.Element("garbage"), ET.Element("garbage"))
    assert (view.hosts, view.carriers, view.ordered, view.has_quorum) == ((), {}, {}, False)


@pytest.mark.parametrize(
    ("hosts", "words"),
    [
        (["mcr-a=192.0.2.1", "MCR-A=192.0.2.2", "c=192.0.2.3"], "two hosts have the name mcr-a"),
        (["a=192.0.2.1", "b=192.0.2.1", "c=192.0.2.3"], "two hosts have the address 192.0.2.1"),
        (["a=192.0.2.1"], "1 hosts were named"),
        (["a=192.0.2.1", "b", "c=192.0.2.3"], "NAME=ADDRESS"),
        (["a=192.0.2.1", "b=x}\nnodelist{", "c=192.0.2.3"], "NAME=ADDRESS"),
    ],
)
def test_hosts_that_make_no_cluster_are_refused_by_name(hosts: list[str], words: str) -> None:
    with pytest.raises(BadPlan, match=words):
        parse_members(hosts)


def test_the_first_host_gets_keys_that_no_one_else_reads_and_the_next_asks_for_them(tmp_path: Path) -> None:
    with pytest.raises(BadPlan, match="copy it from the first host"):
        Setup(tmp_path).join(THREE, "mcr-a")
    steps = Setup(tmp_path).create(THREE, "mcr-a")
    assert list(tmp_path.iterdir()) == []  # a plan changes nothing
    settings = tmp_path / "etc/mcr-srt-streamer/environment"
    settings.parent.mkdir(parents=True)
    settings.write_text("PORT=5000\nLAUNCHER=local\n")
    said: list[str] = []
    carry_out([step for step in steps if not step.text.startswith("run ")], said.append)
    assert settings.read_text() == "PORT=5000\nLAUNCHER=pacemaker\n"
    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in ("etc/corosync/authkey",)}
    assert modes == {"etc/corosync/authkey": 0o400}
    assert (tmp_path / "etc/mcr-srt-streamer/fleet_key").stat().st_mode & 0o007 == 0
    assert (tmp_path / "etc/corosync/corosync.conf").read_text() == corosync_configuration(THREE)
    assert (tmp_path / "usr/lib/ocf/resource.d/mcr/stream").exists()
    again = Setup(tmp_path).create(THREE, "mcr-a")
    assert not any("authkey" in step.text or "of the fleet" in step.text for step in again)
    Setup(tmp_path).join(THREE, "mcr-a")
    with pytest.raises(BadPlan, match="this host is named other"):
        Setup(tmp_path).join(THREE, "other")


def test_an_address_is_where_the_stream_is_and_a_rule_bans_hosts_without_the_attribute() -> None:
    document = ET.fromstring(placement_of("abc", Place(needs="vlan-20", apart_from="def", address="192.0.2.9/24")))
    assert document.find(".//primitive[@type='IPaddr2']//nvpair[@name='ip'][@value='192.0.2.9']") is not None
    assert document.find(".//rsc_order[@first='address-abc'][@then='stream-abc']") is not None
    bans = [(each.get("operation"), each.get("attribute")) for each in document.iter("expression")]
    assert bans == [("ne", "vlan-20"), ("not_defined", "vlan-20")]
    assert document.find(".//rsc_colocation[@with-rsc='stream-def'][@score='-INFINITY']") is not None


def test_a_passphrase_is_valid_whatever_the_clocks_of_two_hosts_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (key_file := tmp_path / "fleet_key").touch(mode=0o600)
    key_file.write_text("k" * 64)
    cipher, now = read_fleet_key(key_file), time.time()
    secret = Encryption(128, Secret("correct horse battery"))
    job = Job(key="abc", spec=SendSpec(endpoint=ListenerEndpoint(10001), source=BarsSource(), encryption=secret))
    for ahead_s in (-86_400.0, 86_400.0):
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda ahead_s=ahead_s: now + ahead_s)
            parcel = pack(job, cipher)
        assert unpack(parcel, cipher) == job


def test_a_configuration_of_many_streams_is_read_whole() -> None:
    cipher = Cipher(Secret("k" * 64))
    job = Job(key="abc", spec=SendSpec(endpoint=ListenerEndpoint(10001), source=BarsSource(), name="n" * 60))
    size = 500 * len(configuration_of([Ordered("abc", pack(job, cipher))]))
    assert len(ask("head", "-c", str(2 * size), "/dev/zero").stdout) == 2 * size


def test_a_stream_asks_only_for_what_every_host_has_a_capacity_for() -> None:
    asked = ET.fromstring(configuration_of([Ordered("abc", "{}")])).findall(".//utilization/nvpair")
    given = {word for step in Setup(Path("/nowhere")).create(THREE, "mcr-a") for word in step.text.split()}
    assert [pair.get("name") for pair in asked] == ["cpu"]
    assert "cpu" in given
