#!/usr/bin/env bash
# Sets the machine up for testing, then runs ruff, mypy and pytest; arguments go to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [ "${1:-}" = --help ]; then
    cat <<'HELP'
usage: ./test.sh [PYTEST ARGUMENT...]

Installs what the tests need, then runs ruff, mypy and pytest.
  ./test.sh                     everything
  ./test.sh tests/unit -k spec  a part
HELP
    exit
fi

# shellcheck source=scripts/setup.sh
. scripts/setup.sh
set_up test

say "ruff"
$VENV/bin/ruff format --check --quiet . || die "run $VENV/bin/ruff format ."
$VENV/bin/ruff check --quiet .
say "mypy"
$VENV/bin/mypy --no-error-summary
say "pytest"
# Most tests wait for something real, so two run side by side. Witnesses in real time then share two cores with what they
# watch: what fails is run once more, by itself and in plain sight. What fails twice has failed.
scratch=$(mktemp -d /tmp/mcr.XXXXXX) # short: the names of Unix sockets have their limit
trap 'rm -rf "$scratch"' EXIT
status=0
$VENV/bin/python -m pytest -n 2 --dist loadfile --basetemp "$scratch/t" "$@" || status=$?
if [ "$status" -eq 1 ]; then
    say "the tests above failed: once more, and nothing else beside them"
    status=0
    $VENV/bin/python -m pytest --basetemp "$scratch/t" "$@" -n 0 --last-failed --last-failed-no-failures none || status=$?
fi
exit "$status"
