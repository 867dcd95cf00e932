"""
Commands that are imported when they are called, not when they are listed.

`tollgate --help` must not pay for Litestar, botocore and SQLAlchemy; this is the one place where commands
import late.
"""

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from gateway.memory import uncollected


def late(module: str) -> Any:
    """Import a module of ours now; for what only some ways of a command need."""
    if module in sys.modules:
        return sys.modules[module]
    with uncollected():
        return import_module(module)


class LazyGroup(click.Group):
    """
    A group over a table of names, each with its module and its one-line help.

    The module of a command holds it under the name `command`.
    """

    def __init__(self, table: Mapping[str, tuple[str, str]], **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table: the most wanted first."""
        del ctx
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of that name."""
        del ctx
        if cmd_name not in self._table:
            return None
        loaded = late(self._table[cmd_name][0]).command
        if not isinstance(loaded, click.Command):
            raise TypeError(f"{self._table[cmd_name][0]}.command is not a command")
        return loaded

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table itself, so that help loads nothing."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_text) for name, (_, help_text) in self._table.items()])
