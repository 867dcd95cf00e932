"""`tollgate routes`: the AWS accounts and Regions by which messages leave, and missing second ways."""

import click

from gateway.cli.calling import field, over_the_api, show_one, show_rows, wants_json
from gateway.client import Client, path_of

_HEALTH = (field("health", "state"), field("health", "reason"), field("health", "since"))
_ROUTES = (field("account"), field("name"), field("region"), *_HEALTH)
_SENDERS = (field("sender"), field("tenant"), field("type"), field("country"), *_HEALTH)
_ORDERED = (field("position"), field("account"), field("name"), field("region"))
_LANES = (
    field("route"),
    field("sender"),
    field("country"),
    field("priority"),
    field("backlog_parts", title="parts"),
    field("drain_seconds", title="drains in s"),
    field("oldest_seconds", title="oldest s"),
)
_GAPS = (
    field("slug", title="tenant"),
    field("country"),
    field("message_types", title="messages"),
    field("types"),
    field("add"),
)


@click.group("routes")
def command() -> None:
    """See the health of routes, order them per tenant, take one out of use; needs the operator key."""


@command.command("health")
@over_the_api
def health(client: Client) -> None:
    """Show every route, and the senders that are not healthy."""
    found = client.get(path_of("admin", "routes", "health"))
    if wants_json():
        show_one(found, ())
        return
    show_rows(found["routes"], _ROUTES, empty="There are no routes.")
    show_rows(found["senders"], _SENDERS, empty="Every sender is healthy.")


@command.command("set")
@click.argument("tenant")
@click.argument("accounts", nargs=-1)
@over_the_api
def set_routes(client: Client, *, tenant: str, accounts: tuple[str, ...]) -> None:
    """Give a tenant its routes in order; none for all of the operator's in no order."""
    path = path_of("admin", "tenants", tenant, "routes")
    made = client.call("PUT", path, {"routes": list(accounts)}).body
    show_rows(made["data"], _ORDERED, empty="There are no routes.")


@command.command("disable")
@click.argument("account")
@click.option("--reason", required=True)
@over_the_api
def disable(client: Client, *, account: str, reason: str) -> None:
    """Take a route out of use for every tenant; what waits for it goes to others."""
    answer = client.post(path_of("admin", "routes", account, "disable"), {"reason": reason})
    show_one(answer, _ROUTES, before="Disabled.")


@command.command("enable")
@click.argument("account")
@click.option("--reason", required=True)
@over_the_api
def enable(client: Client, *, account: str, reason: str) -> None:
    """Use a route again."""
    answer = client.post(path_of("admin", "routes", account, "enable"), {"reason": reason})
    show_one(answer, _ROUTES, before="Enabled.")


@command.command("notice")
@click.argument("account")
@click.argument("event")
@click.option("--status", type=click.Choice(["upcoming", "open", "closed"]), required=True)
@click.option("--reason", required=True, help="Shown with the route's state.")
@click.option("--effect", type=click.Choice(["degrade", "disable"]), default="degrade", show_default=True)
@over_the_api
def notice(client: Client, *, account: str, event: str, **said: str) -> None:
    """Pass on what AWS Health says of an account; the event's end restores the route."""
    answer = client.post(path_of("admin", "routes", account, "health-notice"), {"event": event, **said})
    show_one(answer, _ROUTES)


@command.command("redundancy")
@over_the_api
def redundancy(client: Client) -> None:
    """List the countries of tenants that one blocked sender could silence, and what to add."""
    rows = client.get(path_of("admin", "reports", "redundancy"))["data"]
    show_rows(rows, _GAPS, empty="Every tenant has two types of sender for all it sends.")


@command.command("lanes")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@over_the_api
def lanes(client: Client, *, limit: int) -> None:
    """List what waits, the line that takes longest first."""
    show_rows(client.rows(path_of("admin", "lanes"), limit=limit), _LANES, empty="Nothing waits.")
