"""Which engine carries a stream, and the sentence that says why."""

from __future__ import annotations

import pytest

from app.domain.carriage import Hindrance, choose_engine, needs_a_look
from app.domain.spec import BarsSource, Engine, FileSource, ListenerEndpoint, MulticastSource, SendSpec
from app.mpegts.inspect.first_look import first_look
from app.mpegts.inspect.hindrances import find_hindrances
from tests.instruments.ts_maker import Packetizer, Programme, Recipe, make_ts, pat

FILE, GROUP = FileSource("a.ts"), MulticastSource("239.1.1.1", 5000)
NOTHING: set[Hindrance] = set()


def spec(source: object, engine: str = "auto") -> SendSpec:
    """Return a listener."""
    return SendSpec(ListenerEndpoint(10001), source, engine=engine)  # type: ignore[arg-type]


@pytest.mark.parametrize("hindrance", list(Hindrance))
@pytest.mark.parametrize("source", [FILE, GROUP])
def test_what_gstreamer_does_not_carry_whole_goes_by_the_direct_engine(source: object, hindrance: Hindrance) -> None:
    choice = choose_engine(spec(source), "auto", {hindrance})
    assert choice.engine is Engine.DIRECT
    assert "because it" in choice.why


@pytest.mark.parametrize("source", [FILE, GROUP])
def test_the_rest_goes_by_gstreamer(source: object) -> None:
    assert choose_engine(spec(source), "auto", NOTHING).engine is Engine.GSTREAMER


@pytest.mark.parametrize(("asked", "default"), [("direct", "auto"), ("direct", "gstreamer"), ("auto", "direct")])
def test_the_spec_goes_before_the_installation(asked: str, default: str) -> None:
    assert choose_engine(spec(FILE, asked), default, NOTHING).engine is Engine.DIRECT  # type: ignore[arg-type]


def test_gstreamer_that_was_asked_for_says_what_is_lost_and_names_the_other() -> None:
    why = choose_engine(spec(FILE, "gstreamer"), "auto", {Hindrance.SCRAMBLED}).why
    assert "scrambled packets, which GStreamer discards" in why
    assert "The direct engine carries it" in why


def test_bars_are_gstreamers_whatever_the_installation_prefers() -> None:
    assert choose_engine(spec(BarsSource()), "direct", NOTHING).engine is Engine.GSTREAMER


def test_only_a_group_that_nobody_decided_for_is_looked_at() -> None:
    assert needs_a_look(spec(GROUP), "auto")
    assert not needs_a_look(spec(GROUP), "direct")
    assert not needs_a_look(spec(GROUP, "gstreamer"), "auto")
    assert not needs_a_look(spec(FILE), "auto")


def packets_of(*sections: bytes) -> bytes:
    """Return packets of the PAT's PID."""
    made = Packetizer(0, 0)
    return b"".join(packet for section in sections for packet in made.sections([section]))


def test_a_sound_file_shows_nothing() -> None:
    assert find_hindrances(make_ts(Recipe(seconds=1))) == set()


def test_scrambling_shows_and_reaches_the_first_look() -> None:
    data = make_ts(Recipe(seconds=2, programmes=[Programme(), Programme(number=2, scrambled=True)]))
    assert find_hindrances(data) == {Hindrance.SCRAMBLED}
    assert first_look(data, b"", size_bytes=len(data), tail_offset=0).hindrances == {Hindrance.SCRAMBLED}


def test_a_mark_of_damage_shows() -> None:
    data = bytearray(make_ts(Recipe(seconds=1)))
    data[188 * 10 + 1] |= 0x80
    assert Hindrance.DAMAGED in find_hindrances(data)


def test_an_empty_or_changing_pat_shows() -> None:
    one, two = [Programme()], [Programme(), Programme(number=2)]
    assert find_hindrances(packets_of(pat(one), pat(one))) == set()
    assert find_hindrances(packets_of(pat([]), pat(one))) == {Hindrance.EMPTY_PAT}
    assert find_hindrances(packets_of(pat(one), pat(two))) == {Hindrance.PAT_CHANGES}
