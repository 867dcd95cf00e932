"""`tollgate alarms`: figures of messages that somebody is told about."""

import click

from gateway.cli.calling import field, over_the_api, show_one, show_rows
from gateway.client import Client, path_of
from gateway.insight.metrics import WATCHED

_ALARM = (
    field("id"),
    field("name"),
    field("metric"),
    field("country"),
    field("type"),
    field("against"),
    field("raise_at", title="raise at"),
    field("clear_at", title="clear at"),
    field("value"),
    field("usual"),
    field("raised"),
    field("enabled"),
)
_tenant = click.option("--tenant", help="ten_…, with the operator key; `platform` for all tenants together.")


@click.group("alarms")
def command() -> None:
    """Set, list and delete alarms, with a tenant's key, or with the operator's for a tenant or for all."""


@command.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True)
@_tenant
@over_the_api
def list_alarms(client: Client, *, limit: int, tenant: str | None) -> None:
    """List alarms and where they stand."""
    show_rows(client.rows(_path(tenant), limit=limit), _ALARM, empty="No alarm is set.")


@command.command("set")
@click.argument("name")
@click.option("--metric", type=click.Choice(WATCHED), required=True)
@click.option("--raise-at", type=float, required=True, help="A share from 0 to 1; of spend_pace an amount.")
@click.option("--clear-at", type=float, help="On its good side; a tenth away if absent.")
@click.option("--baseline", is_flag=True, help="Against what is usual; thresholds are distances from it.")
@click.option("--country", help="ISO 3166; all together if absent.")
@click.option("--type", "message_type", type=click.Choice(("otp", "transactional", "promotional")))
@click.option("--window", type=click.IntRange(300, 86_400), default=3600, show_default=True, help="Seconds.")
@click.option("--minimum", type=click.IntRange(min=1), default=50, show_default=True, help="Messages.")
@_tenant
@over_the_api
def set_alarm(
    client: Client,
    *,
    tenant: str | None,
    baseline: bool,
    message_type: str | None,
    window: int,
    minimum: int,
    **given: str | float | None,
) -> None:
    """Set the alarm NAME."""
    body = given | {
        "type": message_type,
        "against": "baseline" if baseline else "static",
        "window_seconds": window,
        "minimum_messages": minimum,
    }
    made = client.post(_path(tenant), {name: value for name, value in body.items() if value is not None})
    show_one(made, _ALARM)


@command.command("delete")
@click.argument("alarm")
@_tenant
@over_the_api
def delete_alarm(client: Client, *, tenant: str | None, alarm: str) -> None:
    """Delete the alarm ALARM (alm_…)."""
    client.delete(_path(tenant, alarm))
    click.echo(f"Deleted {alarm}.")


def _path(tenant: str | None, *alarm: str) -> str:
    if tenant is None:
        return path_of("alarms", *alarm)
    if tenant == "platform":
        return path_of("admin", "alarms", *alarm)
    return path_of("admin", "tenants", tenant, "alarms", *alarm)
