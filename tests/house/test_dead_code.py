"""Code that nothing calls is deleted, not kept."""

from __future__ import annotations

from pathlib import Path

from vulture import Vulture

ROOT = Path(__file__).parents[2]
# Frameworks call what carries one of these decorators.
CALLED_BY_FRAMEWORKS = [
    "@*.get",
    "@*.post",
    "@*.put",
    "@*.delete",
    "@*.patch",
    "@*.route",
    "@*.errorhandler",
    "@*.command*",
    "@*.app_context_processor",
]
# Names that a base class of another library calls, with that class.
CALLED_BY_NAME = [
    "redirect_request",  # urllib.request.HTTPRedirectHandler
    "get_cookie_secure",  # flask.sessions.SessionInterface
    "downgrade",  # alembic, on a command line
    "upgrade",  # alembic
    "collect",  # prometheus_client, of each registered collector
]
# The binding of libsrt is a library with a complete interface. This uses all of it.
EXERCISES = ["tests/instruments/srt_pair.py"]
KINDS = {"function", "class", "method", "property"}


def unused() -> set[str]:
    """`path:line kind name` of each function, class, method and property that no code in the product refers to."""
    finder = Vulture(ignore_names=CALLED_BY_NAME, ignore_decorators=CALLED_BY_FRAMEWORKS)
    finder.scavenge([str(ROOT / name) for name in ("app", "wsgi.py", *EXERCISES)])
    return {
        f"{Path(item.filename).relative_to(ROOT)}:{item.first_lineno} {item.typ} {item.name}"
        for item in finder.get_unused_code(min_confidence=60)
        if item.typ in KINDS
    }


def test_every_function_and_class_of_the_product_is_used() -> None:
    assert unused() == set()
