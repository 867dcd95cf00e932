"""The command line as a whole: quick to help, complete, and clear when it is used wrongly."""

import subprocess
import sys
from importlib import import_module

import click
import pytest

from gateway.cli.root import COMMANDS

HEAVY = ("litestar", "sqlalchemy", "botocore", "aiohttp", "asyncpg", "rich")


def tollgate(*arguments: str, code: str = "") -> "subprocess.CompletedProcess[str]":
    """Run the command in a process of its own, with no settings in its environment."""
    program = f"import sys\nfrom gateway.cli.root import main\nsys.argv[1:] = {list(arguments)!r}\n{code}"
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={}, check=False
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_exists(name: str) -> None:
    """The table is written by hand; a module it names must hold the command of that name."""
    command = import_module(COMMANDS[name][0]).command
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help


def test_help_lists_every_command_and_loads_none() -> None:
    """Asking what there is must not cost the second that loading everything takes."""
    seen = f"""
try:
    main()
except SystemExit:
    print("loaded:", [name for name in {HEAVY!r} if name in sys.modules])
"""
    done = tollgate("--help", code=seen)
    assert all(name in done.stdout for name in COMMANDS)
    assert "loaded: []" in done.stdout


def test_wrong_usage_exits_with_2() -> None:
    """Scripts tell a mistake of theirs from a refusal by the status."""
    assert tollgate("nonsense", code="main()").returncode == 2
    assert tollgate("serve", code="main()").returncode == 2
    assert tollgate("serve", "api", "dispatcher", "--workers", "0", code="main()").returncode == 2


def test_a_missing_setting_is_one_sentence_and_status_1() -> None:
    """No traceback for what the operator can correct."""
    done = tollgate("serve", "dispatcher", code="main()")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: set DATABASE_URL, REDIS_URL,")
    assert "Traceback" not in done.stderr


def test_reaching_no_api_says_where_it_looked() -> None:
    """The usual first mistake is a gateway that does not run."""
    done = tollgate("tenants", "list", "--key", "k", "--api-url", "http://127.0.0.1:9", code="main()")
    assert done.returncode == 1
    assert "no answer from http://127.0.0.1:9" in done.stderr


def test_version_is_the_distribution_s() -> None:
    """Bug reports begin with it."""
    assert tollgate("--version", code="main()").stdout.startswith("tollgate 0.")
