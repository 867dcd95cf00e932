# Short names for what one does here often. `just` lists them.

_default:
    @just --list

# Everything that a change must pass, as CI runs it.
check:
    .ci/run

# The tests alone; arguments go to pytest.
test *arguments:
    deploy/test {{ arguments }}

# The static checks alone.
lint:
    deploy/check

# Correct what ruff can correct by itself.
fix:
    .venv/bin/ruff check --fix
    .venv/bin/ruff format

# The main job, once, on this machine.
demo *arguments:
    deploy/demo {{ arguments }}

# The gateway for a developer.
dev *arguments:
    .venv/bin/tollgate dev {{ arguments }}

# Draw the picture in the README anew.
picture:
    .venv/bin/tollgate demo --svg docs/demo.svg
