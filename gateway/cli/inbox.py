"""`tollgate inbox`: what waits for a person."""

import click

from gateway.cli.calling import field, over_the_api, show_one, show_rows
from gateway.client import Client, path_of

_ITEM = (
    field("id"),
    field("kind"),
    field("subject"),
    field("tenant_id", title="tenant"),
    field("created_at", title="since"),
    field("summary"),
)
_STATES = ("open", "resolved", "all")


@click.group("inbox")
def command() -> None:
    """List and close what waits for a person, with the operator key."""


@command.command("list")
@click.option("--state", type=click.Choice(_STATES), default="open", show_default=True)
@click.option("--kind", help="For example alarm.raised.")
@click.option("--tenant", help="ten_…")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@over_the_api
def list_items(client: Client, *, limit: int, **wanted: str | None) -> None:
    """List tasks, the newest first."""
    rows = client.rows(path_of("admin", "inbox"), limit=limit, **wanted)
    show_rows(rows, _ITEM, empty="Nothing waits for a person.")


@command.command("resolve")
@click.argument("item")
@click.option("--note", required=True, help="What was done about it.")
@over_the_api
def resolve_item(client: Client, *, item: str, note: str) -> None:
    """Close the task ITEM (task_…)."""
    row = client.post(path_of("admin", "inbox", item, "resolve"), {"note": note})
    show_one(row, (*_ITEM, field("resolved_at"), field("resolved_by"), field("note")))
