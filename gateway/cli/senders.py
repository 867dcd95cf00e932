"""`tollgate senders`: the origination identities of a tenant."""

from typing import Any, Final

import click
from rich.console import Console

from gateway.cli.calling import field, over_the_api, show_one, show_rows, wants_json
from gateway.client import Client, path_of

_FIELDS = (
    field("id"),
    field("country"),
    field("type"),
    field("value"),
    field("parts_per_second", title="MPS"),
    field("message_types", title="types"),
    field("state"),
)
_LEAST_PARTS: Final = 2
_MOST_PARTS: Final = 3


@click.group("senders")
def command() -> None:
    """List senders; make them at AWS with the operator key."""


@command.command("list")
@click.option("--tenant", help="ten_…; needs the operator key.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@over_the_api
def list_senders(client: Client, *, tenant: str | None, limit: int) -> None:
    """List origination identities, the newest first."""
    path = path_of("senders") if tenant is None else path_of("admin", "tenants", tenant, "senders")
    show_rows(
        client.rows(path, limit=limit), _FIELDS, empty="There are no senders yet; provision the tenant."
    )


@command.command("provision")
@click.argument("tenant")
@click.option(
    "--sender",
    "senders",
    multiple=True,
    metavar="COUNTRY:TYPE[:VALUE]",
    help="Such as US:TOLL_FREE or GB:SENDER_ID:ACME; may be repeated. None: one fitting sender per country.",
)
@click.option("--mps", type=float, help="Message parts per second of these senders; AWS's default otherwise.")
@over_the_api
def provision(client: Client, *, tenant: str, senders: tuple[str, ...], mps: float | None) -> None:
    """Make what a tenant needs at AWS; asking again makes nothing twice."""
    body = {"senders": [_wish(text, mps) for text in senders]}
    console = Console(stderr=True)
    with console.status("AWS takes one such request a second …"):
        made = client.post(path_of("admin", "tenants", tenant, "provision"), body)
    if wants_json():
        show_one(made, ())
        return
    counts = [f"{len(made[name])} {name}" for name in ("created", "adopted", "waiting")]
    click.echo(f"{', '.join(counts)}.")
    show_rows(made["senders"], _FIELDS, empty="There are no senders.")


@command.command("swap")
@click.argument("tenant")
@click.argument("sender")
@click.argument("standby")
@click.option("--reason", default="swapped by the operator", show_default=True)
@over_the_api
def swap(client: Client, *, tenant: str, sender: str, standby: str, reason: str) -> None:
    """Disable a blocked sender and let its standby take its place; queued messages move, too."""
    path = path_of("admin", "tenants", tenant, "senders", sender, "swap")
    made = client.post(path, {"standby": standby, "reason": reason})
    if wants_json():
        show_one(made, ())
        return
    show_rows([made["out"], made["standby"]], _FIELDS, empty="")


@command.command("disable")
@click.argument("tenant")
@click.argument("sender")
@click.option("--reason", required=True, help="Kept in the audit trail.")
@over_the_api
def disable(client: Client, *, tenant: str, sender: str, reason: str) -> None:
    """Put a sender out of use; queued messages go to others that fit."""
    path = path_of("admin", "tenants", tenant, "senders", sender, "disable")
    show_one(client.post(path, {"reason": reason}), _FIELDS, before="Disabled.")


@command.command("enable")
@click.argument("tenant")
@click.argument("sender")
@click.option("--reason", required=True, help="Kept in the audit trail.")
@over_the_api
def enable(client: Client, *, tenant: str, sender: str, reason: str) -> None:
    """Let a disabled or standby sender send."""
    path = path_of("admin", "tenants", tenant, "senders", sender, "enable")
    show_one(client.post(path, {"reason": reason}), _FIELDS, before="Enabled.")


def _wish(text: str, mps: float | None) -> dict[str, Any]:
    parts = text.split(":")
    if not _LEAST_PARTS <= len(parts) <= _MOST_PARTS:
        raise click.UsageError("--sender is COUNTRY:TYPE or COUNTRY:TYPE:VALUE")
    wish: dict[str, Any] = {"country": parts[0].upper(), "type": parts[1].upper()}
    if len(parts) == _MOST_PARTS:
        wish["value"] = parts[2]
    if mps is not None:
        wish["parts_per_second"] = mps
    return wish
