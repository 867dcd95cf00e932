"""`tollgate credits`: balances and their movements."""

import click

from gateway.cli.calling import field, over_the_api, show_one, show_rows
from gateway.client import Client, path_of

_BALANCE = (field("available"), field("held"), field("unit"))
_MOVEMENT = (
    field("at"),
    field("kind"),
    field("available"),
    field("held"),
    field("charged"),
    field("unit"),
    field("message_id", title="message"),
    field("note"),
)


@click.group("credits")
def command() -> None:
    """Show a balance and its ledger; top up and correct with the operator key."""


@command.command("show")
@click.option("--tenant", help="ten_…; needs the operator key.")
@over_the_api
def show_balance(client: Client, *, tenant: str | None) -> None:
    """Show what may be spent and what is held by messages under way."""
    show_one(client.get(_path(tenant)), _BALANCE)


@command.command("ledger")
@click.option("--tenant", help="ten_…; needs the operator key.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@over_the_api
def show_ledger(client: Client, *, tenant: str | None, limit: int) -> None:
    """List the movements of a balance, the newest first."""
    show_rows(client.rows(f"{_path(tenant)}/ledger", limit=limit), _MOVEMENT, empty="Nothing has moved yet.")


@command.command("top-up")
@click.argument("tenant")
@click.argument("amount")
@click.option("--note")
@click.option("--idempotency-key", help="The same key never adds twice.")
@over_the_api
def top_up(
    client: Client, *, tenant: str, amount: str, note: str | None, idempotency_key: str | None
) -> None:
    """Add what a tenant paid: dollars such as 25.00, or whole credits, by its pricing."""
    row = client.post(_path(tenant), {"amount": amount, "note": note}, idempotency_key=idempotency_key)
    show_one(row, _MOVEMENT, before="Topped up.")


@command.command("adjust", context_settings={"ignore_unknown_options": True})
@click.argument("tenant")
@click.argument("amount")
@click.option("--note", required=True, help="Why; it stays in the ledger.")
@click.option("--idempotency-key", help="The same key never moves twice.")
@over_the_api
def adjust(client: Client, *, tenant: str, amount: str, note: str, idempotency_key: str | None) -> None:
    """Correct a balance up or down, never below what is held: 1.50 or -1.50."""
    row = client.post(
        f"{_path(tenant)}/adjust", {"amount": amount, "note": note}, idempotency_key=idempotency_key
    )
    show_one(row, _MOVEMENT, before="Adjusted.")


def _path(tenant: str | None) -> str:
    return path_of("credits") if tenant is None else path_of("admin", "tenants", tenant, "credits")
