#!/usr/bin/env bash
# Sets the machine up for testing, then runs the static checks and pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [ "${1:-}" = --help ]; then
    cat <<'HELP'
usage: ./test.sh [TIER] [PYTEST ARGUMENT...]

Installs what the tests need, then runs the static checks and pytest.
  ./test.sh                     everything except the campaigns
  ./test.sh fast                unit, web and house tests; no package checks, no static checks
  ./test.sh wire                real engines, receivers and processes
  ./test.sh browser             the pages in headless Chromium
  ./test.sh campaign            the long tests, at full length
  ./test.sh tests/unit -k spec  a part

The tests marked precise run after all others, one on each core. A test that fails is run once more, alone. One that
then passes is listed as FLAKY, and the run fails if more than FLAKY_ALLOWED tests (default 0) are flaky.
HELP
    exit
fi

# shellcheck source=scripts/setup.sh
. scripts/setup.sh
tier=${1:-}
case $tier in
    fast | wire | browser | campaign) shift ;;
    *) tier= ;;
esac
if [ "$tier" != fast ] || [ ! -x $VENV/bin/pytest ]; then set_up test; fi

if [ -z "$tier" ]; then
    say "static checks"
    scripts/lint.sh
fi
say "pytest ${tier:-(all tiers)}"
scratch=$(mktemp -d /tmp/mcr.XXXXXX) # short: names of Unix sockets are limited
trap 'rm -rf "$scratch"' EXIT
# Each of the processes would compile the program and pytest's rewritten tests again.
unset PYTHONDONTWRITEBYTECODE
[ "$tier" != campaign ] || export MCR_TEST_LONG=1
case $tier in
    "") chosen="not campaign" ;;
    campaign) chosen="campaign or wire" ;; # the wire tests at full length belong to it
    *) chosen="$tier and not campaign" ;;
esac
# The same tests, but files that are not collected cost no time.
[ "$tier$*" != fast ] || set -- tests/unit tests/web tests/house
run=("$VENV/bin/python" -m pytest --basetemp "$scratch/t" -o "cache_dir=$scratch/cache" "$@")
failed() { $VENV/bin/python scripts/failed_tests.py "$scratch/cache"; }
status=5 # pytest's: there was no test
# Run pytest and remember that tests ran, or that some failed. Any other fault ends here.
some() {
    local code=0
    "${run[@]}" "$@" || code=$?
    case $code in
        0) [ "$status" -eq 1 ] || status=0 ;;
        1) status=1 ;;
        5) ;;
        *) exit "$code" ;;
    esac
}

# Most tests wait for something real, so two run at the same time on each core; one file stays with one process. Those
# that measure to the millisecond come after them, one on each core.
some -m "($chosen) and not precise" -n $((2 * $(nproc))) --dist loadfile --no-loadscope-reorder
[ "$tier" = fast ] || some -m "($chosen) and precise" -n "$(nproc)" --dist loadfile # no fast test is
[ "$status" -eq 1 ] || exit "$status"

# Real-time checks compete for CPU with what they measure: failures run once more, alone, and are reported.
failed >"$scratch/first"
say "the tests above failed: once more, alone"
some -m "$chosen" -n 0 --last-failed --last-failed-no-failures none
failed >"$scratch/second"
flaky=$(grep -vxF -f "$scratch/second" "$scratch/first" || true)
[ -z "$flaky" ] || printf 'FLAKY %s\n' "${flaky//$'\n'/$'\nFLAKY '}"
[ ! -s "$scratch/second" ] || exit 1
[ "$(wc -l <<<"$flaky")" -le "${FLAKY_ALLOWED:-0}" ] || die "flaky tests are defects: find the race"
