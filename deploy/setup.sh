# Sourced by deploy/demo and deploy/test: makes .venv as uv.lock says, and is quick when nothing changed.
# Works with bash 3.2 (macOS) and newer. Needs Python 3.11 or newer with pip, and the network the first time.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Where images forbid __pycache__, each of the tests' many processes would compile everything anew: 5 s, not 2.
unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX="$PWD/.venv/pycache"

UV_VERSION=0.13.8
LEAST_FREE_MB=900

complain() {
    printf 'tollgate: %s\n' "$*" >&2
    exit 1
}

is_recent() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    local name
    for name in "${PYTHON:-}" python3.13 python3.12 python3.11 python3 python; do
        if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1 && is_recent "$name"; then
            command -v "$name"
            return
        fi
    done
    complain "needs Python 3.11 or newer, and found none.
  Debian, Ubuntu:  sudo apt-get install python3 python3-venv python3-pip
  macOS:           brew install python@3.13, or the installer of python.org
  Then run this again."
}

check_disk() {
    local free_mb
    free_mb=$(df -Pm . | awk 'NR == 2 { print $4 }')
    if [ "${free_mb:-$LEAST_FREE_MB}" -lt "$LEAST_FREE_MB" ]; then
        complain "needs about $LEAST_FREE_MB MB of disk in $(pwd), and $free_mb MB are free."
    fi
}

stamp_of() {
    .venv/bin/python - "$1" <<'PYTHON' 2>/dev/null
import hashlib, pathlib, sys
digest = hashlib.sha256(" ".join([sys.argv[1], sys.version]).encode())
for name in ("uv.lock", "pyproject.toml", "deploy/setup.sh"):
    digest.update(pathlib.Path(name).read_bytes())
print(digest.hexdigest())
PYTHON
}

make_venv() {
    local python=$1
    if [ -x .venv/bin/python ] && is_recent .venv/bin/python; then
        return
    fi
    echo "Making .venv with $python …"
    # Debian keeps what puts pip into a venv in a package of its own; without it, pip works from outside.
    "$python" -m venv --clear .venv >/dev/null 2>&1 ||
        "$python" -m venv --clear --without-pip .venv ||
        complain "$python could not make a virtual environment: see above.
  Debian, Ubuntu:  sudo apt-get install python3-venv python3-pip"
}

install_uv() {
    local python=$1
    if [ "$(.venv/bin/uv --version 2>/dev/null | awk '{ print $2 }')" = "$UV_VERSION" ]; then
        return
    fi
    echo "Installing uv $UV_VERSION into .venv …"
    if .venv/bin/python -m pip --version >/dev/null 2>&1; then
        set -- .venv/bin/python -m pip
    elif "$python" -m pip --version >/dev/null 2>&1; then
        set -- "$python" -m pip --python .venv/bin/python
    else
        complain "$python has no pip.
  Debian, Ubuntu:  sudo apt-get install python3-pip
  Elsewhere:       $python -m ensurepip"
    fi
    "$@" install --quiet --disable-pip-version-check "uv==$UV_VERSION" ||
        complain "pip could not install uv $UV_VERSION: see above. Is there a network, and does pip reach its index?"
}

# set_up NAME UV_ARGUMENTS...: NAME keeps the stamps of different selections apart.
set_up() {
    local name=$1 python stamp
    shift
    stamp=".venv/.tollgate-$name"
    if [ -x .venv/bin/tollgate ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(stamp_of "$*")" ]; then
        return
    fi
    python=$(find_python)
    check_disk
    make_venv "$python"
    install_uv "$python"
    echo "Installing what uv.lock names …"
    UV_PROJECT_ENVIRONMENT=.venv .venv/bin/uv sync --quiet --frozen --inexact --no-python-downloads \
        --python .venv/bin/python "$@" ||
        complain "the packages could not be installed: see above. Is there a network, and is there disk left?"
    stamp_of "$*" >"$stamp"
}
