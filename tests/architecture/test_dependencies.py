"""Which module may know which: the import contracts, and who may open a connection."""

import ast
import subprocess
import sys

CONNECTIONS = ("create_engine", "create_async_engine", "create_pool")
BUILDERS = {
    "gateway/db/engine.py": "what it builds with",
    "gateway/db/migrate.py": "a migration has one connection of its own and no role",
    "gateway/embedded/databases.py": "makes and drops databases, on servers it started",
}
"""Modules beside the builders that may open connections to Postgres, and why."""
BUILD = ("gateway/wiring", "gateway/cli/", "gateway/demo/", "gateway/bench/")
"""Wiring builds; a command may, since it is a process of its own."""
READ_THE_ENVIRONMENT = (*BUILD[1:], "gateway/embedded/", "gateway/stack/", "gateway/__main__.py")


def opened_by(sources):
    """Modules that construct engines or pools."""
    return {
        source.path for source in sources if source.calls(*CONNECTIONS) and not source.path.startswith(BUILD)
    }


def test_the_import_contracts_hold(root):
    """Layers, strangers and the ban on cycles, as pyproject.toml has them."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    ended = subprocess.run([*command, "--no-cache"], cwd=root, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_only_wiring_and_the_command_line_open_connections(sources):
    """Dependencies are arguments: nothing else reaches for a database."""
    assert opened_by(sources) - BUILDERS.keys() == set()


def test_the_exceptions_are_still_there(root):
    """A reason for a module that is gone would hide its successor."""
    assert [path for path in BUILDERS if not (root / path).exists()] == []


def test_a_stray_engine_is_noticed(parse):
    """The rule above can fail."""
    stray = parse("engine = create_async_engine('postgresql://')", "gateway/api/v1/stray.py")
    assert opened_by([stray]) == {"gateway/api/v1/stray.py"}


def test_nothing_but_a_command_reads_the_environment(sources):
    """Settings are read once, by the command that starts a process, and handed on."""
    readers = {source.path for source in sources if {"environ", "getenv"} & set(_members_of_os(source))}
    assert {path for path in readers if not path.startswith(READ_THE_ENVIRONMENT)} == set()


def _members_of_os(source):
    return [
        node.attr
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
    ]
