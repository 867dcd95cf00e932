"""`tollgate protect`: country rules and number overrides of a tenant."""

from typing import Final

import click

from gateway.cli.calling import field, over_the_api, show_one, show_rows
from gateway.client import Client, path_of

_CONFIGURATION: Final = (field("id"), field("name"), field("default"), field("locked"))
_OVERRIDE: Final = (field("number"), field("action"), field("country"), field("expires_at", title="until"))
_EFFECTIVE: Final = (
    field("number"),
    field("status"),
    field("rule"),
    field("origin"),
    field("configuration_name", title="configuration"),
)


@click.group("protect")
def command() -> None:
    """Show and change which destinations are protected."""


@command.command("list")
@over_the_api
def list_configurations(client: Client) -> None:
    """List protect configurations."""
    rows = client.get(path_of("protect", "configurations"))["data"]
    show_rows(rows, _CONFIGURATION, empty="There are none; the country allowlist alone decides.")


@command.command("create")
@click.argument("name")
@over_the_api
def create(client: Client, *, name: str) -> None:
    """Make a protect configuration; the first one is the default."""
    show_one(client.post(path_of("protect", "configurations"), {"name": name}), _CONFIGURATION)


@command.command("effective")
@click.argument("number")
@over_the_api
def effective(client: Client, *, number: str) -> None:
    """Show which rule decides over a number, and why."""
    show_one(client.get(path_of("protect", "effective"), number=number), _EFFECTIVE)


@command.command("overrides")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@over_the_api
def overrides(client: Client, *, limit: int) -> None:
    """List number overrides that hold."""
    show_rows(client.rows(path_of("protect", "overrides"), limit=limit), _OVERRIDE, empty="There are none.")
