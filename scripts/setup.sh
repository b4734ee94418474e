# shellcheck shell=bash
# Sourced by scripts/test, scripts/demo and .ci/run. `set_up SET` leaves in .venv what requirements/SET.txt locks, and this
# checkout. All it needs is Python 3.11+ with its venv module; it runs under the bash 3.2 of macOS.

new_enough='import sys; sys.exit(sys.version_info < (3, 11))'

stop() {
  printf '%s\n' "$1" >&2
  exit 1
}

find_python() {
  local name without_venv=
  for name in python3.13 python3.12 python3.11 python3; do
    "$name" -c "$new_enough" 2>/dev/null || continue
    if "$name" -c 'import ensurepip, venv' 2>/dev/null; then
      printf '%s\n' "$name"
      return
    fi
    without_venv=$name
  done
  [ -z "$without_venv" ] || stop "$without_venv lacks its venv module. On Debian and Ubuntu: apt install python3-venv"
  stop 'Python 3.11 or newer is needed, as python3.13, python3.12, python3.11 or python3.'
}

set_up() {
  local set=$1 python
  cd -P "$(dirname "${BASH_SOURCE[0]}")/.." || exit

  # Without pip the environment was interrupted in the making.
  if ! .venv/bin/python -c "import importlib.util; importlib.util.find_spec('pip') or exit(1); $new_enough" 2>/dev/null; then
    python=$(find_python)
    printf 'Making .venv with %s\n' "$python" >&2
    "$python" -m venv --clear .venv
  fi

  # What was installed last is noted as a copy, taken away before an install and put back after it: an interrupted install
  # is done again, a finished one never. The test set holds all the others.
  if ! cmp -s requirements/test.txt .venv/locked.txt && ! cmp -s "requirements/$set.txt" .venv/locked.txt; then
    printf 'Installing requirements/%s.txt into .venv: once, a few minutes at most\n' "$set" >&2
    rm -f .venv/locked.txt
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
      --require-hashes --only-binary :all: -r "requirements/$set.txt"
    cp "requirements/$set.txt" .venv/locked.txt
  fi

  # The path belongs to the note: a checkout that was moved is installed again.
  if ! { pwd && cat pyproject.toml; } | cmp -s - .venv/checkout.txt; then
    rm -f .venv/checkout.txt
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
    { pwd && cat pyproject.toml; } >.venv/checkout.txt
  fi
}
