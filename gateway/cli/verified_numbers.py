"""`tollgate verified-numbers`: phones that are reached before a country or an account is live."""

from typing import Final

import click

from gateway.cli.calling import field, over_the_api, show_one, show_rows
from gateway.client import Client, path_of

_FIELDS: Final = (
    field("id"),
    field("number"),
    field("status"),
    field("test"),
    field("code_expires_at", title="code until"),
    field("verified_at", title="verified"),
)
_MADE: Final = (*_FIELDS, field("sandbox_code", title="sandbox code"))
_CHANNELS: Final = click.Choice(["sms", "voice"])


@click.group("verified-numbers")
def command() -> None:
    """Verify phones by a code; they are reached in a country's phase `test` and from AWS's sandbox."""


@command.command("list")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@over_the_api
def list_numbers(client: Client, *, limit: int) -> None:
    """List the numbers of the key's mode, the newest first."""
    show_rows(client.rows(path_of("verified-numbers"), limit=limit), _FIELDS, empty="There are none yet.")


@command.command("add")
@click.argument("number")
@click.option("--channel", type=_CHANNELS, default="sms", show_default=True)
@over_the_api
def add(client: Client, *, number: str, channel: str) -> None:
    """Send a code to a phone."""
    made = client.post(path_of("verified-numbers"), {"number": number, "channel": channel})
    show_one(made, _MADE)


@command.command("code")
@click.argument("verified_number")
@click.option("--channel", type=_CHANNELS, default="sms", show_default=True)
@over_the_api
def another_code(client: Client, *, verified_number: str, channel: str) -> None:
    """Send another code; it ends the one before."""
    made = client.post(path_of("verified-numbers", verified_number, "code"), {"channel": channel})
    show_one(made, _MADE)


@command.command("confirm")
@click.argument("verified_number")
@click.argument("code")
@over_the_api
def confirm(client: Client, *, verified_number: str, code: str) -> None:
    """Give the code back."""
    shown = client.post(path_of("verified-numbers", verified_number, "confirm"), {"code": code})
    show_one(shown, _FIELDS)


@command.command("remove")
@click.argument("verified_number")
@over_the_api
def remove(client: Client, *, verified_number: str) -> None:
    """Let a number count no more."""
    client.delete(path_of("verified-numbers", verified_number))
    click.echo("Removed.")
