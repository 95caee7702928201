"""Flask's test client with types for the tests; the JSON of an answer has the type Any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


class Answer(TestResponse):
    """The answer of the application."""

    if TYPE_CHECKING:

        @property
        def json(self) -> Any:
            """The parsed body; None where it is not JSON."""


class Client(FlaskClient):
    """A browser or a script."""

    if TYPE_CHECKING:

        def open(self, *args: Any, **options: Any) -> Answer:
            """One request."""

        def get(self, *args: Any, **options: Any) -> Answer:
            """Read."""

        def post(self, *args: Any, **options: Any) -> Answer:
            """Create, or order something."""

        def put(self, *args: Any, **options: Any) -> Answer:
            """Replace."""

        def patch(self, *args: Any, **options: Any) -> Answer:
            """Change."""

        def delete(self, *args: Any, **options: Any) -> Answer:
            """Send a DELETE request."""
