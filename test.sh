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

scratch=$(mktemp -d /tmp/mcr.XXXXXX) # short: names of Unix sockets are limited
trap 'rm -rf "$scratch"' EXIT
lint=
if [ -z "$tier" ]; then
    say "static checks, while tests wait"
    chrt --idle 0 scripts/lint.sh >"$scratch/lint" 2>&1 &
    lint=$!
fi
say "pytest ${tier:-(all tiers)}"
# Each of the processes would compile the program and pytest's rewritten tests again.
unset PYTHONDONTWRITEBYTECODE
[ "$tier" != campaign ] || export MCR_TEST_LONG=1
case $tier in
    "") chosen="not campaign" ;;
    campaign) chosen="campaign or wire" ;; # the wire tests at full length belong to it
    *) chosen="$tier and not campaign" ;;
esac
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

# Run tests on so many processes for each core; one file stays with one process.
on_each_core() {
    local processes=$1
    shift
    some -n $((processes * $(nproc))) --dist loadfile --no-loadscope-reorder "$@"
}
names_tests() {
    local argument
    for argument in "$@"; do [ ! -e "${argument%%::*}" ] || return 0; done
    return 1
}
# A folder that is not collected costs no time.
computing=(tests/house tests/unit tests/web tests/browser)
waiting=(tests/processes tests/contract tests/engine tests/peers tests/system tests/campaigns)
case $tier in
    fast) computing=(tests/house tests/unit tests/web) waiting=() ;;
    browser) computing=(tests/browser) waiting=() ;;
    wire) computing=() ;;
esac

# The static checks use what the tests leave of the processors. They end before the precise tests begin.
end_lint() {
    [ -n "$lint" ] || return 0
    wait "$lint" || {
        cat "$scratch/lint" >&2
        die "a static check failed; scripts/lint.sh repeats them"
    }
    lint=
}

# What computes comes first, two on each core, then what waits for something real, three on each core. Tests that
# measure to the millisecond come last, one on each core.
if names_tests "$@"; then
    on_each_core 2 -m "($chosen) and not precise"
    end_lint
    on_each_core 1 -m "($chosen) and precise"
else
    [ ${#computing[@]} -eq 0 ] || on_each_core 2 "${computing[@]}" -m "$chosen"
    if [ ${#waiting[@]} -ne 0 ]; then
        on_each_core 3 "${waiting[@]}" -m "($chosen) and not precise"
        end_lint
        on_each_core 1 "${waiting[@]}" -m "($chosen) and precise"
    fi
fi
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
