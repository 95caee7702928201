#!/usr/bin/env bash
# Every static check, in the order of their speed. Needs the environment that test.sh sets up.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bin=.venv/bin

$bin/ruff format --check --quiet . || {
    echo "error: run make fix" >&2
    exit 1
}
$bin/ruff check --quiet .
$bin/codespell
git ls-files '*.sh' mcr .ci/run | xargs shellcheck --external-sources
git ls-files '*.sh' mcr .ci/run | xargs $bin/shfmt --diff
PATH="$PWD/$bin:$PATH" node_modules/.bin/biome ci --error-on-warnings --reporter=summary >/dev/null ||
    PATH="$PWD/$bin:$PATH" node_modules/.bin/biome ci --error-on-warnings
$bin/mypy --no-error-summary
$bin/lint-imports --no-cache >/dev/null || $bin/lint-imports --no-cache
