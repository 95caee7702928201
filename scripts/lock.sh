#!/usr/bin/env bash
# Resolves the dependencies of pyproject.toml into requirements*.txt: exact versions with hashes, for every Python
# from 3.11.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
lock() { # lock TARGET [OPTION...]
    local target=$1
    shift
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --custom-compile-command "make lock" --output-file "$target" "$@"
}
lock requirements.txt pyproject.toml
lock requirements-dev.txt --extra dev pyproject.toml
# PyGObject alone: it is compiled, and only where the distribution's bindings are for an older Python.
.venv/bin/python -c 'import tomllib
print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["gi"])' |
    lock requirements-gi.txt -
