#!/usr/bin/env bash
# Resolves the dependencies of pyproject.toml into requirements*.txt: exact versions with hashes, for every Python from 3.11.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
lock() { # lock TARGET [OPTION...]
    local target=$1
    shift
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
        --no-emit-index-url "$@" pyproject.toml --output-file "$target"
}
lock requirements.txt
lock requirements-dev.txt --extra dev
lock requirements-gi.txt --extra gi
