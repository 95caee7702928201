"""What the forms of send and receive streams share: from fields to the API's document, and its judgement."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask_wtf import FlaskForm
from wtforms.fields.choices import SelectChoice

from app.domain.errors import InvalidInput
from app.domain.json_value import JsonObject
from app.domain.presets import PresetSpec, parse_preset_spec, without_passphrase
from app.domain.spec import Encryption, JobSpec, parse_spec
from app.domain.spec.parse import with_kept_passphrase

_SpecT = TypeVar("_SpecT", bound=JobSpec)


def choices_of(*pairs: tuple[str, str]) -> list[SelectChoice]:
    """Return the choices of a field from their values and labels."""
    return [SelectChoice(value, label) for value, label in pairs]


class SpecForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """A form that describes a spec. The subclass has the fields, and makes the document from them."""

    def to_spec(self, listener_ports: tuple[int, ...], kept: Encryption | None = None) -> JobSpec:
        """Return the spec that the form describes. Raises InvalidInput, which names every wrong field as in the API.

        With an empty passphrase, `kept` applies: the passphrase that an edited stream has.
        """
        return self._judged(
            lambda document: parse_spec(with_kept_passphrase(document, kept), listener_ports=listener_ports)
        )

    def to_preset_spec(self) -> PresetSpec:
        """Return the form as a preset keeps it, without the passphrase. Raises InvalidInput, as `to_spec` does."""
        return self._judged(lambda document: parse_preset_spec(without_passphrase(document)))

    def _judged(self, parse: Callable[[JsonObject], _SpecT]) -> _SpecT:
        problems: dict[str, str] = {}
        document = self._to_document(problems)
        try:
            spec = parse(document)
        except InvalidInput as error:
            raise InvalidInput.of({**error.fields, **problems}) from None
        if problems:
            raise InvalidInput.of(problems)
        return spec

    def _to_document(self, problems: dict[str, str]) -> JsonObject:
        """Return the fields as the API's document, and add what is no number to `problems`."""
        raise NotImplementedError
