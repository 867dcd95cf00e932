"""`tollgate credits`: balances and their movements."""

from urllib.parse import quote

import click

from gateway.cli.calling import field, over_the_api, show_one, show_rows, wants_json
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


_GROUPS = ("day", "country", "channel", "template", "sender", "type")
_COST = field("aws_cost")
_FEE = tuple(field(name) for name in ("id", "month", "item", "amount", "unit", "state", "note", "waived_why"))
_USAGE = (field("messages"), field("parts"), field("charged"), field("unit"))
_ACCOUNT = tuple(
    field(name) for name in ("unit", "opening", "top_ups", "charged", "fees", "adjustments", "closing")
)
_LINE = tuple(
    field(name) for name in ("country", "channel", "type", "sender", "messages", "parts", "charged")
)
_ENTRY = (
    field("at"), field("kind"), field("amount"), field("message_id", title="message"), field("note"),
)  # fmt: skip


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
@click.option("--kind", help="Some kinds of entries, with commas: top_up,correction,capture,…")
@click.option("--message", "message_id", help="msg_…: what it moved, and corrections of it.")
@click.option("--from", "since", help="Posted at or after this instant (RFC 3339).")
@click.option("--to", "until", help="Posted before this instant.")
@over_the_api
def show_ledger(
    client: Client,
    *,
    tenant: str | None,
    limit: int,
    kind: str | None,
    message_id: str | None,
    since: str | None,
    until: str | None,
) -> None:
    """List the movements of a balance, the newest first."""
    narrowed = {"kind": kind, "message_id": message_id, "from": since, "to": until}
    rows = client.rows(f"{_path(tenant)}/ledger", limit=limit, **narrowed)
    show_rows(rows, _MOVEMENT, empty="Nothing has moved yet.")


@command.command("usage")
@click.option("--tenant", help="ten_…; needs the operator key, and shows what AWS charged.")
@click.option(
    "--by", "group_by", default="day", show_default=True, help="Some of " + ", ".join(_GROUPS) + "."
)
@click.option("--from", "first", help="First UTC day; the first of this month if absent.")
@click.option("--to", "last", help="Last UTC day, included; today if absent.")
@over_the_api
def show_usage(
    client: Client, *, tenant: str | None, group_by: str, first: str | None, last: str | None
) -> None:
    """Sum up what was settled, by day, country, channel, template, sender or type."""
    found = client.call(
        "GET", _own("usage", tenant), query={"group_by": group_by, "from": first, "to": last}
    ).body
    shown = (*(field(name) for name in group_by.split(",")), *_USAGE, *([] if tenant is None else [_COST]))
    show_rows(found["data"], shown, empty="Nothing was settled in these days.")


@command.command("statement")
@click.argument("month", required=False)
@click.option("--tenant", help="ten_…; needs the operator key, and shows what AWS charged.")
@over_the_api
def show_statement(client: Client, *, month: str | None, tenant: str | None) -> None:
    """Show the statement of a month such as 2026-11, or list the months there are."""
    path = _own("statements", tenant)
    if month is None:
        show_rows(client.get(path)["data"], (field("month"), field("complete")), empty="There are none.")
        return
    found = client.get(f"{path}/{quote(month, safe='')}")
    if wants_json():
        show_one(found, ())
        return
    for account in found["accounts"]:
        show_one(account, _ACCOUNT, before=f"{found['month']}{'' if found['complete'] else ' so far'}:")
        lines = (*_LINE, *([] if tenant is None else [_COST]))
        show_rows(account["lines"], lines, empty="No messages were settled.")
        show_rows(account["entries"], _ENTRY, empty="Nothing was moved by hand.")


@command.command("correct", context_settings={"ignore_unknown_options": True})
@click.argument("tenant")
@click.argument("amount")
@click.option("--reason", required=True, help="Why; it stays in the ledger.")
@click.option("--message", "message_id", help="msg_… if a message was charged wrongly.")
@click.option("--idempotency-key", help="The same key never moves twice.")
@over_the_api
def correct(
    client: Client,
    *,
    tenant: str,
    amount: str,
    reason: str,
    message_id: str | None,
    idempotency_key: str | None,
) -> None:
    """Put the ledger right by a new entry: 1.50 gives back, -1.50 takes."""
    body = {"amount": amount, "reason": reason, "message_id": message_id}
    row = client.post(f"{_path(tenant)}/corrections", body, idempotency_key=idempotency_key)
    show_one(row, _MOVEMENT, before="Corrected.")


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


@command.command("fees")
@click.argument("tenant")
@click.option("--state", type=click.Choice(["open", "charged", "waived"]), help="All if absent.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1))
@over_the_api
def list_fees(client: Client, *, tenant: str, state: str | None, limit: int) -> None:
    """List a tenant's leases, platform fees and registrations, the newest first."""
    rows = client.rows(path_of("admin", "tenants", tenant, "fees"), limit=limit, state=state)
    show_rows(rows, _FEE, empty="There are none.")


@command.command("waive-fee")
@click.argument("tenant")
@click.argument("fee")
@click.option("--reason", required=True, help="Why; the tenant reads it on its statement.")
@click.option("--idempotency-key", help="The same key never waives twice.")
@over_the_api
def waive_fee(client: Client, *, tenant: str, fee: str, reason: str, idempotency_key: str | None) -> None:
    """Let a fee go that is not charged yet."""
    row = client.post(
        path_of("admin", "tenants", tenant, "fees", fee, "waive"),
        {"reason": reason},
        idempotency_key=idempotency_key,
    )
    show_one(row, _FEE, before="Waived.")


def _own(what: str, tenant: str | None) -> str:
    return path_of(what) if tenant is None else path_of("admin", "tenants", tenant, what)


def _path(tenant: str | None) -> str:
    return path_of("credits") if tenant is None else path_of("admin", "tenants", tenant, "credits")
