"""`tollgate sender-ids`: one sender id in many countries."""

import sys
from typing import Any, Final

import click

from gateway.cli.calling import field, over_the_api, show_one, show_rows, wants_json
from gateway.client import Client, path_of

_COUNTRY: Final = (
    field("sender_id", title="sender id"),
    field("country"),
    field("state"),
    field("monthly_usd", title="USD a month"),
    field("code"),
    field("detail"),
)
_SUM: Final = (
    field("total"),
    field("waiting"),
    field("created"),
    field("adopted"),
    field("registration_required"),
    field("failed"),
    field("monthly_usd", title="USD a month"),
)
_DRIFT: Final = (
    field("sender_id", title="sender id"),
    field("country"),
    field("kind"),
    field("wanted"),
    field("found"),
)


@click.group("sender-ids")
def command() -> None:
    """Request sender ids in many countries with the operator key."""


@command.command("apply")
@click.option("--tenant", required=True, help="ten_…")
@click.option("--id", "sender_id", required=True, help="The sender id, such as ACME.")
@click.option("--countries", required=True, help="Such as GB,DE,FR; `all` for each that has sender ids.")
@click.option(
    "--type",
    "message_types",
    multiple=True,
    type=click.Choice(["otp", "transactional", "promotional"]),
    help="What it carries; everything if absent.",
)
@over_the_api
def apply(
    client: Client, *, tenant: str, sender_id: str, countries: str, message_types: tuple[str, ...]
) -> None:
    """Request a sender id; a second run makes nothing twice and tries again what failed."""
    named = [each.strip().upper() for each in countries.split(",") if each.strip()]
    body: dict[str, Any] = {"sender_id": sender_id, "countries": "all" if named == ["ALL"] else named}
    if message_types:
        body["message_types"] = list(message_types)
    _show(client.post(path_of("admin", "tenants", tenant, "sender-ids", "bulk"), body))


@command.command("status")
@click.option("--tenant", required=True, help="ten_…")
@click.option("--id", "sender_id", help="Only this sender id.")
@over_the_api
def status(client: Client, *, tenant: str, sender_id: str | None) -> None:
    """Show how far requests are, country by country; exit status 1 if one failed."""
    shown: Any = client.get(path_of("admin", "tenants", tenant, "sender-ids", "bulk"), sender_id=sender_id)
    _show(shown)
    if shown["failed"]:
        sys.exit(1)


@command.command("drift")
@click.option("--tenant", required=True, help="ten_…")
@over_the_api
def drift(client: Client, *, tenant: str) -> None:
    """Compare with what AWS has now; exit status 1 if something differs."""
    rows: Any = client.get(path_of("admin", "tenants", tenant, "sender-ids", "drift"))["data"]
    show_rows(rows, _DRIFT, empty="AWS has what was given.")
    if rows:
        sys.exit(1)


def _show(report: Any) -> None:
    if wants_json():
        show_one(report, _SUM)
        return
    show_rows(report["data"], _COUNTRY, empty="No sender id was asked for.")
    show_one(report, _SUM)
