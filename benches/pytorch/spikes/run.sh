#!/usr/bin/env bash
# A step of spiking layers in snnTorch and in burn-hebbian; arguments are those of compare.py (`run.sh --help`).
#
# PYTHON names an interpreter that has requirements.txt installed; without it, a virtual environment is made here.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
source "$here/../interpreter.sh"

exec "$PYTHON" "$here/compare.py" "$@"
