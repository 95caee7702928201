"""The configuration file: every fault with its line, and the plan against the streams that are there."""

from __future__ import annotations

import jsonschema
import msgspec
import pytest
import yaml

from app.configuration.export import export
from app.configuration.lined_yaml import read_yaml
from app.configuration.plan import Action, Difference, plan
from app.configuration.reading import FaultyFile, read_configuration
from app.configuration.schema import configuration_schema
from app.configuration.words import place_of, plan_lines
from tests.web.fake_streams import PASSPHRASE
from tests.web.mixed_streams import mixed_streams

PORTS = range(10001, 10011)
SIMPLE = """\
version: 1
streams:
  - name: Studio A   # a comment is fine
    endpoint: {mode: listener, port: 10001}
    source: {kind: file, path: a.ts}
    latency_ms: 200
"""
TEN_FAULTS = """\
version: 2
stream: []
streams:
  - name: Studio A
    latency_ms: 9000
    endpoint: {mode: listener, port: 9}
    source: {kind: file, path: a.ts}
  - name: Studio B
    on_air: perhaps
    endpoint: {mode: caller, host: "a b", port: 70000}
    source: {kind: tape}
  - just text
  - name: Studio C
    overhead: 25
    endpoint: {mode: listener, port: 10002}
    source: {kind: file, path: a.ts}
    encryption: {key_bits: 128, passphrase: correct horse}
  - name: Studio C
    endpoint: {mode: listener, port: 10003}
    source: {kind: bars, format: 720p50}
  - name: Studio D
    name: Studio E
    endpoint: {mode: listener, port: 10003}
    source: {kind: bars, format: 720p50}
"""


def faults_of(text: str, **secrets: str) -> list[str]:
    """Return every fault that reading the file finds, as lines for people."""
    with pytest.raises(FaultyFile) as caught:
        read_configuration(text, secrets=secrets, listener_ports=PORTS)
    return [f"{place_of(fault)}: {fault.text}" for fault in caught.value.faults]


def test_a_file_with_ten_faults_names_all_ten_with_their_lines() -> None:
    found = faults_of(TEN_FAULTS)
    lines = [text.split(",")[0] for text in found]
    for line in (1, 2, 5, 6, 9, 10, 11, 12, 14, 17, 21, 22):
        assert f"line {line}" in lines, (line, found)
    assert any("streams.0.latency_ms: 9000 is outside" in text for text in found)
    assert not any("correct horse" in text for text in found)


def test_the_lines_of_two_streams_with_one_port_or_one_name_are_both_named() -> None:
    twice = SIMPLE + SIMPLE.split("streams:\n")[1]
    assert faults_of(twice) == [
        "line 7, name: the stream in line 3 already has the name Studio A",
        "line 7, port: the stream in line 3 already has the UDP port 10001",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("streams: [", 1),
        ("version: 1\nstreams: &a\n  - *a\n", 3),
        ("version: 1\nstreams: !!python/object:os.system {}\n", 2),
        ("\x00", 1),
        ("", 1),
        ("[]", 1),
        ("version: 1\nstreams: " + "[" * 4000, 2),
        ("version: 1\nstreams:\n  - {latency_ms: 1e999}\n", 3),
        ("version: true\nstreams: []\n", 1),
        ("version: 1\n? [a]\n: 1\nstreams: []\n", 2),
        ("version: 1\nstreams:\n  - name: 2026-01-01\n", 3),
    ],
)
def test_hostile_text_is_a_fault_with_a_line(text: str, line: int) -> None:
    assert any(fault.startswith(f"line {line}") for fault in faults_of(text)), faults_of(text)


STREAM = "  - name: {}\n    endpoint: {{mode: caller, host: 192.0.2.7, port: {}}}\n    source: {{kind: bars}}\n"
HEAD = "version: 1\nstreams:\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD, "line 2, streams: write a list of streams, `[]` for none"),
        (HEAD + "\t- name: A\n", "line 3: this is not YAML: found character '\\t'"),
        (HEAD + "  - name: A\n   latency_ms: 200\n", "line 4: this is not YAML"),
        (HEAD + "  - name: A\n  latency_ms: 200\n", "line 4: this is not YAML"),
        (HEAD + STREAM.format("A", "010"), "line 4, streams.0.endpoint.port: '010' is not a plain number"),
        (HEAD + STREAM.format("A", "2:30"), "line 4, streams.0.endpoint.port: '2:30' is not a plain number"),
        (HEAD + STREAM.format("A", "0x2329"), "line 4, streams.0.endpoint.port: '0x2329' is not a plain number"),
        (HEAD + STREAM.format("no", 9000), "line 3, streams.0.name: this is true or false; send text"),
        (HEAD + STREAM.format("A", 9000) + "    latncy: 5\n", "line 6, streams.0.latncy: this field is unknown"),
        (HEAD + "  - &a\n" + STREAM.format("A", 9000).replace("  - ", "    ") + "  - <<: *a\n", "line 7: aliases"),
        (HEAD + STREAM.format("A", 9000) + "---\n" + HEAD, "line 6: this is not YAML"),
        (HEAD + "".join(STREAM.format(at, 9000) for at in range(501)), "line 2, streams: at most 500 streams"),
        (HEAD + "".join(STREAM.format(at, 9000) for at in range(5000)), "the file has more than 50000 values"),
    ],
)
def test_an_odd_file_is_a_fault_with_its_line_and_a_remedy(text: str, expected: str) -> None:
    found = faults_of(text)
    assert any(expected in fault for fault in found), found[:3]


def test_what_was_exported_changes_nothing_when_it_is_applied() -> None:
    present = mixed_streams()
    text = export(present)
    assert PASSPHRASE not in text
    ports = {port for snapshot in present if (port := snapshot.spec.local_port())}
    steps = plan(read_configuration(text, secrets={}, listener_ports=ports), present, prunes=True)
    # A stream that failed is off air by itself, and the file says so.
    assert {step.action for step in steps} == {Action.KEEP}, plan_lines(steps)
    jsonschema.validate(yaml.safe_load(text), configuration_schema())


def test_a_passphrase_that_is_nowhere_is_a_fault_and_one_that_is_sent_is_used() -> None:
    text = SIMPLE + "    encryption: {key_bits: 256, passphrase: {env: STUDIO_A}}\n"
    wanted = read_configuration(text, secrets={}, listener_ports=PORTS)
    with pytest.raises(FaultyFile) as caught:
        plan(wanted, [], prunes=False)
    (fault,) = caught.value.faults
    assert place_of(fault) == "line 7, encryption.passphrase"
    assert fault.text.startswith("env:STUDIO_A")
    secrets = {"env:STUDIO_A": "correct horse battery"}
    (step,) = plan(read_configuration(text, secrets=secrets, listener_ports=PORTS), [], prunes=False)
    assert step.spec.encryption is not None
    assert step.spec.encryption.passphrase.reveal() == "correct horse battery"
    assert "correct horse" not in "\n".join(plan_lines([step]))


def test_one_changed_setting_is_one_changed_stream() -> None:
    present = [snapshot for snapshot in mixed_streams() if snapshot.key == "lineup"]
    text = export(present).replace("latency_ms: 200", "latency_ms: 250")
    wanted = read_configuration(text, secrets={}, listener_ports=PORTS)
    (step,) = plan(wanted, present, prunes=False)
    assert (step.action, step.key) == (Action.CHANGE, "lineup")
    assert step.differences == (Difference("latency_ms", "200", "250"),)
    assert plan_lines([step]) == [
        "~ change Line-up bars",
        "    latency_ms: 200 → 250",
        "1 to change, 0 unchanged.",
    ]


def test_a_renamed_stream_is_recognised_by_its_port_and_a_missing_one_is_removed_only_when_asked() -> None:
    present = mixed_streams()
    text = export([one for one in present if one.key == "lineup"]).replace("Line-up bars", "Bars")
    wanted = read_configuration(text, secrets={}, listener_ports=PORTS)
    (step,) = plan(wanted, present, prunes=False)
    assert step.differences == (Difference("name", "Line-up bars", "Bars"),)
    pruned = plan(wanted, present, prunes=True)
    assert sum(one.action is Action.REMOVE for one in pruned) == len(present) - 1
    assert pruned[-1].action is Action.CHANGE, "what frees a port comes first"


def test_two_streams_of_one_name_never_share_a_variable() -> None:
    encrypted = [one for one in mixed_streams() if one.spec.encryption is not None]
    twins = [msgspec.structs.replace(one, key=f"twin{at}") for at, one in enumerate(encrypted)]
    text = export([*encrypted, *twins])
    names = {entry["encryption"]["passphrase"]["env"] for entry in yaml.safe_load(text)["streams"]}
    assert len(names) == len(encrypted) + len(twins)


def test_every_value_has_its_line() -> None:
    document, faults = read_yaml(SIMPLE)
    assert faults == []
    assert document.line_of("streams.0.latency_ms") == 6
    assert document.line_of("streams.0.encryption.passphrase") == 3
