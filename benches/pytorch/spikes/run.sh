#!/usr/bin/env bash
# A step of spiking layers in snnTorch and in burn-hebbian; arguments are those of compare.py (`run.sh --help`).
#
# PYTHON names an interpreter that has requirements.txt installed; without it, a virtual environment is made here.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"

if [ -z "${PYTHON:-}" ]; then
  PYTHON="$here/.venv/bin/python"
  [ -x "$PYTHON" ] || python3 -m venv "$here/.venv"
  "$PYTHON" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
fi

exec "$PYTHON" "$here/compare.py" "$@"
