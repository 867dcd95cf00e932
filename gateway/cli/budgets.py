"""`tollgate budgets`: caps per calendar month."""

import click

from gateway.cli.calling import field, over_the_api, show_rows
from gateway.client import Client, path_of

_BUDGET = (
    field("name"),
    field("cap"),
    field("used"),
    field("left"),
    field("unit"),
    field("resets_at", title="resets"),
)
_DIMENSIONS = ("country", "type", "account")


@click.group("budgets")
def command() -> None:
    """Show and set monthly budgets with the operator key; sends stop exactly at a cap."""


@command.command("show")
@click.option("--tenant", help="ten_…; without it the operator's own, over all tenants.")
@over_the_api
def show_budgets(client: Client, *, tenant: str | None) -> None:
    """Show the caps and what is used of them this month."""
    show_rows(
        client.get(_path(tenant))["data"], _BUDGET, empty="There is no budget: nothing stops but credit."
    )


@command.command("set")
@click.argument("caps", nargs=-1)
@click.option("--tenant", help="ten_…; without it the operator's own, over all tenants.")
@over_the_api
def set_budgets(client: Client, *, caps: tuple[str, ...], tenant: str | None) -> None:
    """
    Replace all budgets: all=500, country:US=200.00, type:otp=50, account:acc_…=1000.

    Without any, every budget is taken away.
    """
    body = {"budgets": [_budget(cap) for cap in caps]}
    rows = client.call("PUT", _path(tenant), body).body["data"]
    show_rows(rows, _BUDGET, empty="There is no budget any more.")


def _budget(text: str) -> dict[str, str]:
    name, given, cap = text.partition("=")
    dimension, _, value = name.partition(":")
    if not given or not (name == "all" or (dimension in _DIMENSIONS and value)):
        raise click.BadParameter(
            f"{text!r}: write all=500, country:US=200.00, type:otp=50 or account:acc_…=1000"
        )
    return {"cap": cap} if name == "all" else {"cap": cap, dimension: value}


def _path(tenant: str | None) -> str:
    return path_of("admin", "budgets") if tenant is None else path_of("admin", "tenants", tenant, "budgets")
