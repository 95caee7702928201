"""Python functions that libsrt calls in its own threads. No exception leaves them, because C has none."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import Any, Final, TypeVar

_Result = TypeVar("_Result")
# libsrt may call until the process ends: objects that C points to are never released.
_kept: Final[list[Any]] = []


def kept_callback(make: Callable[[Any], Any], function: Callable[..., _Result], on_error: _Result) -> Any:
    """Make a C function of type `make` that lives as long as the process. After an exception it returns `on_error`."""

    def handle(*arguments: Any) -> _Result:
        try:
            return function(*arguments)
        except BaseException:  # noqa: BLE001 - one that leaves here would be lost in libsrt, and its answer undefined
            traceback.print_exc(file=sys.stderr)
            return on_error

    callback = make(handle)
    _kept.append(callback)
    return callback
