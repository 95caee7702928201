"""JSON as a closed type. Code that reads a value must check its kind, and no other type is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
else:
    # msgspec has no recursive types. A value that it decodes without a type is JSON anyway.
    from typing import Any as Json

JsonObject: TypeAlias = dict[str, Json]
