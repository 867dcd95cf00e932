"""The command line as a whole: quick to help, complete, and clear when it is used wrongly."""

import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import asyncpg
import click
import pytest

from gateway.cli.on_stores import run_on_stores
from gateway.cli.root import COMMANDS
from tenants.errors import KeyUnwrapFailed

HEAVY = ("litestar", "sqlalchemy", "botocore", "aiohttp", "asyncpg", "rich")


SETTINGS = {
    "DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:9/x",
    "REDIS_URL": "redis://127.0.0.1:9",
    "TOLLGATE_OPERATOR_KEY": "operator-key-for-tests",
    "TOLLGATE_SECRET_KEY": "secret-key-for-tests",
}


def tollgate(*arguments: str, code: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command in a process of its own, with no settings in its environment but the ones given."""
    program = f"import sys\nfrom gateway.cli.root import main\nsys.argv[1:] = {list(arguments)!r}\n{code}"
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False
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


@pytest.mark.parametrize(
    "arguments",
    [["migrate"], ["reconcile"], ["rebuild-redis"], ["serve", "dispatcher"], ["serve", "api", "--port", "0"]],
)
def test_a_postgres_that_is_away_is_one_sentence_and_status_1(arguments: list[str]) -> None:
    """Of every command, and without the password of its URL."""
    done = tollgate(*arguments, code="main()", **SETTINGS)
    assert done.returncode == 1
    assert "Error: Postgres " in done.stderr
    assert "`tollgate doctor` says what is wrong" in done.stderr
    assert not any(word in done.stderr for word in ("Traceback", "hunter2"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"AWS_PROFILE": "no-such-profile"},
        {"AWS_ENDPOINT_URL": "http://a b"},
        {"REDIS_URL": "redis://127.0.0.1:9?socket_timeout=soon"},
        {"DATABASE_URL": "postgresql://127.0.0.1:9/x?sslmode=verify-full&sslrootcert=/no/such.pem"},
        {"DATABASE_URL": "postgresql://127.0.0.1:9/x?sslmode=maybe"},
    ],
)
def test_the_doctor_says_what_is_wrong_of_whatever_is(wrong: dict[str, str]) -> None:
    """It is what every other message points to."""
    done = tollgate("doctor", code="main()", **(SETTINGS | wrong))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "✗" in done.stdout
    assert "TOLLGATE_SECRET_KEY = (set)" in done.stdout, "the list of settings is there whatever is wrong"


def test_a_profile_that_is_none_is_one_sentence_from_a_role_too() -> None:
    """A typing error in the unit file of a service."""
    done = tollgate("serve", "receipts", code="main()", AWS_PROFILE="nobody", **SETTINGS)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)


def test_a_file_that_cannot_be_written_is_named_with_the_reason(tmp_path: Path) -> None:
    """Before anything is asked of the API."""
    target = tmp_path / "missing" / "messages.csv"
    done = tollgate("insight", "export", "messages", "--to", str(target), "--key", "k", code="main()")
    assert done.returncode == 1
    assert done.stderr == f"Error: {target}.part cannot be used: No such file or directory\n"


def test_reaching_no_api_says_where_it_looked() -> None:
    """The usual first mistake is a gateway that does not run."""
    done = tollgate("tenants", "list", "--key", "k", "--api-url", "http://127.0.0.1:9", code="main()")
    assert done.returncode == 1
    assert "no answer from http://127.0.0.1:9" in done.stderr


def test_version_is_the_distribution_s() -> None:
    """Bug reports begin with it."""
    assert tollgate("--version", code="main()").stdout.startswith("tollgate 0.")


def test_a_secret_that_opens_no_tenant_is_one_sentence() -> None:
    """The wrong environment file, and no stack trace of it."""

    async def work() -> None:
        raise KeyUnwrapFailed("TOLLGATE_SECRET_KEY does not open the tenant's data key")

    with pytest.raises(click.ClickException, match="TOLLGATE_SECRET_KEY"):
        run_on_stores(work())


@pytest.mark.parametrize(
    "wrapped",
    [
        '(sqlalchemy.dialects.postgresql.asyncpg.Error) password authentication failed for user "u"',
        "(asyncpg.Error) <class 'asyncpg.Invalid'>: " + 'password authentication failed for user "u"',
    ],
)
def test_a_refusal_of_postgres_is_said_in_its_own_words(wrapped: str) -> None:
    """The names of classes around them told an operator nothing."""

    async def work() -> None:
        raise asyncpg.PostgresError(wrapped)

    with pytest.raises(click.ClickException, match=r'\(password authentication failed for user "u"\)'):
        run_on_stores(work())


def test_a_folder_that_cannot_be_made_names_the_option_that_chooses_another(tmp_path: Path) -> None:
    """A home without room, or somebody else's."""
    (tmp_path / "file").touch()
    data = str(tmp_path / "file" / "below")
    done = tollgate("dev", "--port", "0", "--emulator-port", "0", "--data", data, code="main()")
    assert done.returncode == 1
    assert f"{data} cannot be made (Not a directory): choose another folder with --data" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_busy_port_of_the_emulator_is_named_with_the_way_out() -> None:
    """Which of several emulators it is, nobody could say without."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        words = [sys.executable, "-m", "gateway", "emulator", "--port", port]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f":{port}: Address already in use; choose another --port" in done.stderr
