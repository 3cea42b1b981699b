# Sets PYTHON, unless it is set, to the interpreter of a virtual environment in `$here` with its requirements.txt installed.
if [ -z "${PYTHON:-}" ]; then
  PYTHON="$here/.venv/bin/python"
  [ -x "$PYTHON" ] || python3 -m venv "$here/.venv"
  "$PYTHON" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
fi
