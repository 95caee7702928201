"""Reads profiles of this installation from an untrusted document and names every fault."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.domain.errors import InvalidInput
from app.domain.impairment.profiles import PROFILES, Profile
from app.domain.spec import parse_impairment

OWN_MAX: Final = 200
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_TEXTS: Final = {"title": 80, "citation": 400}
_FIELDS: Final = {"name", "title", "citation", "to_target", "to_caller"}
_DIRECTIONS: Final = ("to_target", "to_caller")


def parse_profiles(document: object) -> list[Profile]:
    """Make profiles of `{"profiles": [...]}`. Raises InvalidInput that names every entry and field that is wrong."""
    entries = document.get("profiles") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise InvalidInput.of({"profiles": "send an object with a list named profiles"})
    if not 1 <= len(entries) <= OWN_MAX:
        raise InvalidInput.of({"profiles": f"{len(entries)} entries; send 1 to {OWN_MAX}"})
    problems: dict[str, str] = {}
    made: dict[str, Profile] = {}
    for position, entry in enumerate(entries):
        here = f"profiles.{position}"
        found = dict(_faults(entry, here))
        if not found and entry["name"] in made:
            found[f"{here}.name"] = f"{entry['name']} occurs twice; rename one"
        if not found:
            profile = _profile(entry, here, found)
            if profile is not None:
                made[profile.name] = profile
        problems |= found
    if problems:
        raise InvalidInput.of(problems)
    return list(made.values())


def _faults(entry: object, here: str) -> Iterator[tuple[str, str]]:
    if not isinstance(entry, Mapping):
        yield here, "expected an object"
        return
    for name in entry.keys() - _FIELDS:
        yield f"{here}.{str(name)[:40]}", "this field is unknown; remove it"
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield f"{here}.name", "a name has up to 40 small letters, digits and hyphens"
    elif name in PROFILES:
        yield f"{here}.name", f"{name} is a profile of the product; choose another name"
    for field, characters in _TEXTS.items():
        if (problem := _problem_with_text(entry.get(field), characters)) is not None:
            yield f"{here}.{field}", problem


def _problem_with_text(text: object, characters: int) -> str | None:
    if not isinstance(text, str) or not text.strip():
        return "this text is missing; state what the profile is and where its figures come from"
    if len(text) > characters:
        return f"{len(text)} characters; write {characters} at most"
    return None if text.isprintable() else "this text has control characters; remove them"


def _profile(entry: Mapping[str, Any], here: str, problems: dict[str, str]) -> Profile | None:
    directions = {name: entry.get(name) or {} for name in _DIRECTIONS}
    try:
        impairment = parse_impairment(directions)
    except InvalidInput as error:
        problems |= {f"{here}{path.removeprefix('impairment')}": text for path, text in error.fields.items()}
        return None
    to_target, to_caller = impairment.to_target, impairment.to_caller
    if to_target is None or to_caller is None:
        return None
    return Profile(entry["name"], entry["title"], entry["citation"], to_target=to_target, to_caller=to_caller)
