"""What the commands over the REST API share: where and as whom they call, and how they print the answer."""

import functools
import json
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import click
from rich.console import Console
from rich.table import Table

from gateway.client import Client

_WIDE: Final = 200
Field = tuple[str, Callable[[Any], object]]
"""A column's title, and how its value is read from a row."""


def over_the_api(work: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--api-url`, `--key` and `--json`, and hand it a client as its first argument."""

    @click.option(
        "--api-url",
        envvar="TOLLGATE_API_URL",
        default="http://127.0.0.1:8080",
        show_default=True,
        show_envvar=True,
    )
    @click.option(
        "--key", envvar="TOLLGATE_API_KEY", required=True, show_envvar=True, help="Operator's or tenant's."
    )
    @click.option("--json", "as_json", is_flag=True, help="Print what the API answered.")
    @functools.wraps(work)
    def wrapped(*, api_url: str, key: str, as_json: bool, **given: Any) -> None:
        click.get_current_context().meta["tollgate.json"] = as_json
        work(Client(api_url, key), **given)

    return wrapped


def wants_json() -> bool:
    """Say whether the caller is a machine."""
    return bool(click.get_current_context().meta["tollgate.json"])


def show_rows(rows: Sequence[Any], fields: Sequence[Field], *, empty: str) -> None:
    """Print a list as a table, or as JSON."""
    if wants_json():
        _print_json(rows)
        return
    if not rows:
        click.echo(empty)
        return
    table = Table(*(title for title, _ in fields), box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(_text(read(row)) for _, read in fields))
    _console().print(table)


def show_one(row: Any, fields: Sequence[Field], *, before: str = "") -> None:
    """Print one object as lines of name and value, or as JSON."""
    if wants_json():
        _print_json(row)
        return
    if before:
        click.echo(before)
    width = max(len(title) for title, _ in fields)
    for title, read in fields:
        click.echo(f"  {title:<{width}}  {_text(read(row))}")


def field(*path: str, title: str | None = None) -> Field:
    """Return the column that shows the value at a path of names."""

    def read(row: Any) -> object:
        for name in path:
            row = None if row is None else row[name]
        return row

    return title or path[-1].replace("_", " "), read


def pairs(values: Sequence[str], option: str) -> dict[str, str]:
    """Return `NAME=VALUE` options as a dictionary; a name that is given twice is refused, not guessed at."""
    split = [value.partition("=") for value in values]
    if any(not separator or not name for name, separator, _ in split):
        raise click.UsageError(f"{option} is NAME=VALUE")
    found = {name: value for name, _, value in split}
    if len(found) < len(split):
        twice = next(name for name in found if sum(name == each for each, _, _ in split) > 1)
        raise click.UsageError(f"{option}: {twice} is given twice")
    return found


def _console() -> Console:
    """A pipe has no width of its own: nothing is cut for it."""
    console = Console(highlight=False, markup=False)
    return console if console.is_terminal else Console(highlight=False, markup=False, width=_WIDE)


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return ", ".join(str(each) for each in cast("list[object]", value)) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
