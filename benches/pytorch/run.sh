#!/usr/bin/env bash
# PyTorch and burn-hebbian side by side; arguments are those of compare.py (`run.sh --help`).
#
# PYTHON names an interpreter that has requirements.txt installed; without it, a virtual environment is made here.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"

source "$here/interpreter.sh"

# PyTorch and burn-hebbian side by side; arguments are those of compare.py (`run.sh --help`).
#
# PYTHON names an interpreter that has requirements.txt installed; without it, a virtual environment is made here.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"

if [ -z "${PYTHON:-}" ]; then
  PYTHON="$here/.venv/bin/python"
  [ -x "$PYTHON" ] || python3 -m venv "$here/.venv"
  "$PYTHON" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
fi

# PyTorch's temporaries stay with the process: without this, every one of them is mapped and cleared anew by the kernel.
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=268435456

exec "$PYTHON" "$here/compare.py" "$@"
