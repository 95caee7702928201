"""Compiled templates that all applications of a test run share: each test has a separate application."""

from __future__ import annotations

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache


class _Compiled(BytecodeCache):
    def __init__(self) -> None:
        self._by_key: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._by_key:
            bucket.bytecode_from_string(self._by_key[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._by_key[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def with_compiled_templates(app: Flask) -> Flask:
    """Let an application use the templates that earlier ones compiled. Return it."""
    app.jinja_env.bytecode_cache = _COMPILED
    return app
