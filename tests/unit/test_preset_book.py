"""Presets and the address book: what a preset holds, how both come back, and what an import takes and refuses."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.domain import presets
from app.domain.errors import InvalidInput, LimitReached, NameTaken, NotFound
from app.domain.presets import FarEnd, Preset, parse_preset, preset_document, read_preset
from app.domain.secret import Secret
from app.domain.spec import BarsSource, CallerEndpoint, Encryption, SendSpec
from app.presets import shelf
from app.presets.book import Book
from app.presets.transfer import export, import_into
from app.store.recorder import Recorder
from app.store.spare import SpareOrders
from app.store.store import Store
from app.store.unavailable import StoreUnavailable
from tests.instruments.waiting import wait_for

KEY = Secret("k" * 32)
SPEC = SendSpec(CallerEndpoint("192.0.2.10", 9000), BarsSource(), "Match", encryption=Encryption(256, Secret("")))
PRESET = Preset("Saturday", SPEC)
FAR_END = FarEnd("Umeå", "umea.example.net", 9000, "umea/main", "call +46 90 …")


class House:
    """A book on a real store, begun again as often as a process is started."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "store.sqlite3"
        self.spare = SpareOrders(folder, KEY)
        self.begin()

    def begin(self) -> None:
        self.store = Store(f"sqlite:///{self.file}", KEY)
        self.recorder = Recorder(self.store, self.spare, look_every_s=0.02)
        self.book = Book(self.store, self.recorder.order)

    def end(self) -> None:
        self.recorder.close()
        self.store.close()

    def restart(self) -> None:
        self.end()
        self.begin()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.end()


def in_memory() -> Book:
    class Nothing:
        def documents(self, _table: Any) -> dict[str, str]:
            return {}

        def save_documents(self, *_: Any) -> None:
            pass

    return Book(Nothing(), lambda _name, write: write())


def test_what_is_saved_replaced_and_deleted_is_so_after_a_restart(house: House) -> None:
    kept = house.book.presets.add(PRESET)
    gone = house.book.presets.add(Preset("Gone", SPEC))
    far_end = house.book.far_ends.add(FAR_END)
    house.restart()
    assert dict(house.book.presets.list()) == {kept: PRESET, gone: Preset("Gone", SPEC)}
    renamed = msgspec.structs.replace(PRESET, name="Sunday")
    house.book.presets.replace(kept, renamed)
    house.book.presets.remove(gone)
    house.restart()
    assert house.book.presets.list() == [(kept, renamed)]
    assert house.book.far_ends.list() == [(far_end, FAR_END)]


def test_a_preset_is_kept_without_its_passphrase_and_with_every_other_field(house: House) -> None:
    typed = {
        "name": "Saturday",
        "spec": {
            **msgspec.to_builtins(msgspec.structs.replace(SPEC, encryption=None)),
            "encryption": {"key_bits": 256},
            "group": "A",
        },
    }
    preset = parse_preset(typed)
    house.book.presets.add(preset)
    with sqlite3.connect(house.file) as database:
        (text,) = database.execute("SELECT document_json FROM presets").fetchone()
    assert msgspec.json.decode(text)["spec"]["encryption"] == {"key_bits": 256}
    house.restart()
    assert [found for _, found in house.book.presets.list()] == [preset]


def test_a_field_that_a_spec_gets_is_saved_exported_and_read_without_a_change_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Longer(SendSpec, frozen=True, tag="send"):
        fec_percent: int = 0

    monkeypatch.setattr(presets, "SendSpec", Longer)
    monkeypatch.setattr(presets, "parse_spec", lambda document, **_: msgspec.convert(document, Longer))
    monkeypatch.setattr(presets, "read_spec", lambda document: (msgspec.convert(document, Longer), None))
    spec = {"endpoint": {"mode": "caller", "host": "a", "port": 1}, "source": {"kind": "bars"}, "fec_percent": 20}
    preset = parse_preset({"name": "new", "spec": spec})
    kept = preset_document(preset)
    assert isinstance(kept["spec"], dict)
    assert kept["spec"]["fec_percent"] == 20
    assert read_preset(kept) == preset


def test_entries_given_while_the_disk_refuses_are_stored_as_they_are_by_then(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = house.store.save_documents

    def refuse(*_: object) -> None:
        raise StoreUnavailable("database or disk is full")

    monkeypatch.setattr(house.store, "save_documents", refuse)
    key = house.book.presets.add(PRESET)
    gone = house.book.presets.add(Preset("Gone", SPEC))
    house.book.presets.remove(gone)
    house.book.far_ends.add(FAR_END)
    house.book.presets.replace(key, Preset("Sunday", SPEC))
    assert house.recorder.problem() == "database or disk is full"
    assert [entry.name for _, entry in house.book.presets.list()] == ["Sunday"], "what was ordered is true at once"
    monkeypatch.setattr(house.store, "save_documents", real)
    wait_for(lambda: house.recorder.problem() is None, deadline_s=5, what="a store that is well again")
    house.restart()
    assert house.book.presets.list() == [(key, Preset("Sunday", SPEC))]
    assert [entry for _, entry in house.book.far_ends.list()] == [FAR_END]


def test_a_store_that_hangs_holds_up_a_save_no_longer_than_an_order(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.order_writer._ORDER_WITHIN_S", 0.05)

    may_go_on = threading.Event()
    real = house.store.save_documents

    def hang(*arguments: Any) -> None:
        may_go_on.wait()
        real(*arguments)

    monkeypatch.setattr(house.store, "save_documents", hang)
    house.book.presets.add(PRESET)
    assert [entry for _, entry in house.book.presets.list()] == [PRESET]
    may_go_on.set()
    house.restart()
    assert [entry for _, entry in house.book.presets.list()] == [PRESET]


@pytest.mark.parametrize(
    "text", ["no JSON", "7", '{"name":"Old","spec":{"fec":7}}', '{"spec":{}}', '{"name":"Old","spec":{"direction":7}}']
)
def test_a_row_that_cannot_be_read_costs_itself_alone_is_named_and_never_overwritten(house: House, text: str) -> None:
    house.book.presets.add(PRESET)
    with sqlite3.connect(house.file) as database:
        database.execute("INSERT INTO presets VALUES ('oldone', ?)", (text,))
    house.restart()
    assert [entry for _, entry in house.book.presets.list()] == [PRESET]
    assert len(house.book.unreadable) == 1
    assert ("“Old”" if "Old" in text else "oldone") in house.book.unreadable[0]
    house.book.presets.add(Preset("New", SPEC))
    with sqlite3.connect(house.file) as database:
        assert database.execute("SELECT document_json FROM presets WHERE key = 'oldone'").fetchone() == (text,)


def test_no_two_entries_share_a_name_whatever_its_capitals(house: House) -> None:
    key = house.book.presets.add(PRESET)
    with pytest.raises(NameTaken) as refusal:
        house.book.presets.add(Preset("SATURDAY", SPEC))
    assert "choose another name" in refusal.value.fields["name"]
    house.book.presets.replace(key, Preset("SATURDAY", SPEC))  # its own name it may write otherwise
    other = house.book.presets.add(Preset("Other", SPEC))
    with pytest.raises(NameTaken):
        house.book.presets.replace(other, Preset("Saturday", SPEC))


def test_a_shelf_is_limited_and_what_is_not_there_is_said() -> None:
    book = in_memory()
    for number in range(shelf.ENTRIES_MAX):
        book.far_ends.put(FarEnd(str(number), "a", 1))
    with pytest.raises(LimitReached, match="delete one first"):
        book.far_ends.add(FAR_END)
    with pytest.raises(NotFound):
        book.far_ends.remove("unknown")
    with pytest.raises(NotFound):
        book.presets.get("unknown")


def test_an_export_imported_elsewhere_is_the_same_and_imported_again_replaces_itself() -> None:
    here, there = in_memory(), in_memory()
    here.presets.add(PRESET)
    here.presets.add(Preset("After", SPEC))
    here.far_ends.add(FAR_END)
    document = msgspec.json.decode(msgspec.json.encode(export(here)))
    taken = import_into(there, document)
    assert (taken.presets, taken.far_ends, taken.replaced, taken.refused) == (2, 1, 0, [])
    assert export(there) == export(here)
    assert import_into(there, document).replaced == 3
    assert export(there) == export(here)


def entry(**changes: Any) -> dict[str, Any]:
    return {"name": "x", "spec": {"endpoint": {"mode": "listener", "port": 9}, "source": {"kind": "bars"}, **changes}}


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        (7, {"preset"}),
        ({}, {"name", "spec"}),
        (entry() | {"name": ""}, {"name"}),
        (entry() | {"name": "x" * 81}, {"name"}),
        (entry() | {"name": 7, "key": "abcdef"}, {"name", "key"}),
        (entry(latency_ms=1, fec=2), {"spec.latency_ms", "spec.fec"}),
        (entry(encryption={"key_bits": 7}), {"spec.encryption.key_bits"}),
        (entry(encryption={"key_bits": 256, "passphrase": "a secret of this test"}), {"spec.encryption.passphrase"}),
        (entry(encryption=7), {"spec.encryption"}),
        ({"name": "x", "spec": {"direction": "relay", "listen_port": 1}}, {"spec.direction"}),
        ({"name": "x", "spec": {"direction": ["send"]}}, {"spec.direction"}),
        (entry(source={"kind": "file", "path": "../x.ts"}), {"spec.source.path"}),
    ],
)
def test_an_entry_with_a_fault_is_refused_whole_by_field_and_the_others_are_taken(
    document: Any, fields: set[str]
) -> None:
    book = in_memory()
    good = preset_document(PRESET)
    taken = import_into(book, {"format": "mcr-presets", "version": 1, "presets": [document, good], "far_ends": []})
    assert (taken.presets, [found for _, found in book.presets.list()]) == (1, [PRESET])
    (refused,) = taken.refused
    assert (refused.kind, refused.position, set(refused.fields)) == ("preset", 1, fields)
    assert "a secret of this test" not in str(refused)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (None, "format"),
        ([], "format"),
        ({"presets": []}, "format"),
        ({"format": "mcr-presets", "version": 2}, "version"),
        ({"format": "mcr-presets", "version": 1, "presets": {}}, "presets"),
        ({"format": "mcr-presets", "version": 1, "far_ends": "x"}, "far_ends"),
    ],
)
def test_a_document_that_is_none_of_ours_changes_nothing_and_says_what_to_import(document: Any, field: str) -> None:
    book = in_memory()
    with pytest.raises(InvalidInput) as refusal:
        import_into(book, document)
    assert "import a file that was exported here" in refusal.value.fields[field]
