"""`tollgate insight`: what messages say together."""

import sys
from datetime import UTC, datetime, timedelta

import click

from gateway.cli.calling import field, over_the_api, show_one, show_rows, wants_json
from gateway.cli.whole_file import whole_file
from gateway.client import Client, path_of

_FORMATS = ("csv", "parquet")
_TYPES = ("otp", "transactional", "promotional")
_LEVELS = ("weekday_hour", "hour", "all")
_NUMBERS = ("masked", "full")
_SUMMARY = (
    field("day"),
    field("hour"),
    field("country"),
    field("type"),
    field("accepted"),
    field("delivered"),
    field("pending"),
    field("blocked"),
    field("rates", "delivery_rate", title="delivery rate"),
    field("rates", "conversion", title="conversion"),
    field("spent"),
    field("unit"),
)
_BASELINE = (
    field("country"),
    field("type"),
    field("weekday"),
    field("hour"),
    field("hours", title="hours behind it"),
    field("p10"),
    field("median"),
    field("p90"),
)
_CASE = (
    field("messages"),
    field("in_trouble", title="in trouble"),
    field("delivery_rate", title="delivery rate"),
    field("usual_delivery_rate", title="usually"),
    field("began_at", title="since"),
)
_EXAMPLE = (
    field("message_id", title="AWS message id"),
    field("sent_at", title="sent"),
    field("originator"),
    field("destination"),
    field("country"),
    field("carrier"),
    field("status"),
)
_country = click.option("--country", help="ISO 3166, such as US.")
_numbers = click.option("--numbers", type=click.Choice(_NUMBERS), default="masked", show_default=True)
_tenant = click.option("--tenant", help="ten_…, with the operator key.")


@click.group("insight")
def command() -> None:
    """Sum up messages, show what is usual, make support cases and export."""


@command.command("summary")
@click.option("--by", default="country,type", show_default=True, help="Some of hour, day, country, type.")
@click.option("--from", "since", help="First hour, RFC 3339; seven days ago if absent.")
@click.option("--to", "before", help="RFC 3339; now if absent.")
@_country
@over_the_api
def show_summary(
    client: Client, *, by: str, since: str | None, before: str | None, country: str | None
) -> None:
    """Count messages and what became of them, with a tenant's key."""
    query = {"group_by": by, "from": since, "to": before, "country": country}
    rows = client.get(path_of("insight", "summary"), **query)["data"]
    show_rows(rows, _SUMMARY, empty="No messages.")


@command.command("baselines")
@click.option("--metric", help="For example delivery_rate; without it the seconds until receipts.")
@click.option("--by", type=click.Choice(_LEVELS), default="all", show_default=True)
@click.option("--type", "message_type", type=click.Choice(_TYPES))
@_country
@over_the_api
def show_baselines(
    client: Client, *, metric: str | None, by: str, message_type: str | None, country: str | None
) -> None:
    """Show how messages usually go, with a tenant's key."""
    query = {"metric": metric, "by": by, "type": message_type, "country": country}
    rows = client.get(path_of("insight", "baselines"), **query)["data"]
    show_rows(rows, _BASELINE, empty="There is too little history yet.")


@command.command("evidence")
@click.option("--carrier", help="As receipts name it.")
@click.option("--hours", type=click.IntRange(1, 48), default=48, show_default=True)
@click.option("--csv", "target", help="Write the examples to a file; - for stdout.")
@_country
@_numbers
@_tenant
@over_the_api
def make_evidence(
    client: Client, *, tenant: str | None, target: str | None, **wanted: str | int | None
) -> None:
    """Make the case that AWS support and carriers ask for."""
    path = (
        path_of("insight", "evidence") if tenant is None else path_of("admin", "tenants", tenant, "evidence")
    )
    if target is not None:
        _download(client, path, target, format="csv", **wanted)
        return
    case = client.get(path, **wanted)
    show_one(case, _CASE)
    if not wants_json():
        show_rows(case["examples"], _EXAMPLE, empty="No message is in trouble.")


@command.command("export")
@click.argument("what", type=click.Choice(("messages", "events")))
@click.option(
    "--to", "target", required=True, help="A file; - for stdout, to be piped to `aws s3 cp - s3://…`."
)
@click.option("--from", "since", help="RFC 3339; a day ago if absent.")
@click.option("--until", "before", help="RFC 3339; now if absent.")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="csv", show_default=True)
@click.option("--status", help="For example undelivered; of messages only.")
@click.option("--all-tenants", is_flag=True, help="With the operator key; of messages only.")
@click.option("--country", help="ISO 3166, such as US; of messages only.")
@click.option("--tenant", help="ten_…, with the operator key; of messages only.")
@over_the_api
def export(
    client: Client,
    *,
    what: str,
    target: str,
    since: str | None,
    before: str | None,
    form: str,
    tenant: str | None,
    all_tenants: bool,
    **narrowed: str | None,
) -> None:
    """Export MESSAGES or EVENTS; a file stands under its name only when it is whole."""
    if what == "events" and (all_tenants or tenant is not None or any(narrowed.values())):
        raise click.UsageError(
            "events are exported with their tenant's own key, all of them: --tenant, --all-tenants, "
            "--country and --status are of messages only"
        )
    first = since or (datetime.now(UTC) - timedelta(days=1)).isoformat()
    query = {"created_after": first, "created_before": before, "format": form, **narrowed}
    by_operator = all_tenants or tenant is not None
    path = path_of("admin", "exports", what) if by_operator else path_of("exports", what)
    if by_operator:
        query["tenant"] = tenant
    _download(client, path, target, **query)


def _download(client: Client, path: str, target: str, **query: str | int | None) -> None:
    """Write an answer to a file, which stands under its name only when it is whole, or to stdout."""
    if target == "-":
        client.download(path, sys.stdout.buffer, **query)
        return
    with whole_file(target) as file:
        client.download(path, file, **query)
