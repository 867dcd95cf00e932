"""`tollgate intakes`: the platforms that hand their customers in."""

from typing import Final

import click

from gateway.cli.calling import field, over_the_api, show_one, show_rows
from gateway.client import Client, path_of

_LISTED: Final = (
    field("id"),
    field("name"),
    field("model"),
    field("url"),
    field("disabled_at", title="disabled"),
)
_MADE: Final = (*_LISTED, field("secret"))


@click.group("intakes")
def command() -> None:
    """Let platforms post their customers' registration data; needs the operator key."""


@command.command("list")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@over_the_api
def list_intakes(client: Client, *, limit: int) -> None:
    """List platforms, the newest first."""
    show_rows(client.rows(path_of("admin", "intakes"), limit=limit), _LISTED, empty="There are none.")


@command.command("create")
@click.argument("name")
@click.option("--model", type=click.IntRange(1, 6), default=3, show_default=True, help="Of its customers.")
@over_the_api
def create(client: Client, *, name: str, model: int) -> None:
    """Add a platform; its secret is shown this once."""
    show_one(client.post(path_of("admin", "intakes"), {"name": name, "model": model}), _MADE)


@command.command("rotate")
@click.argument("intake")
@over_the_api
def rotate(client: Client, *, intake: str) -> None:
    """Give a platform a new secret; the one before is good for another 24 hours."""
    show_one(client.post(path_of("admin", "intakes", intake, "rotate-secret")), _MADE)


@command.command("disable")
@click.argument("intake")
@over_the_api
def disable(client: Client, *, intake: str) -> None:
    """Take no more from a platform; whom it brought stays."""
    show_one(client.call("DELETE", path_of("admin", "intakes", intake)).body, _LISTED, before="Disabled.")
