#!/usr/bin/env bash
# The command line, run with this checkout's environment: ./mcr --help
set -euo pipefail
folder=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
PYTHONPATH=$folder exec "$folder/.venv/bin/python" -P -m app.cli "$@"
