"""`tollgate senders plan`, `apply` and `drift`: what a tenant has at AWS, and what it shall have."""

from typing import Any, Final

import click
from rich.console import Console

from gateway.cli.calling import over_the_api, show_one, wants_json
from gateway.client import Client, path_of

_LEAST_PARTS: Final = 2
_MOST_PARTS: Final = 3
_SENDERS: Final = click.option(
    "--sender",
    "senders",
    multiple=True,
    metavar="COUNTRY:TYPE[:VALUE]",
    help="Such as US:TOLL_FREE or GB:SENDER_ID:ACME; may be repeated. None: one fitting sender per country.",
)
_POOL: Final = click.option(
    "--pool/--no-pool", default=True, show_default=True, help="Whether the tenant gets a pool at AWS."
)


@click.command("plan")
@click.argument("tenant")
@_SENDERS
@_POOL
@over_the_api
def plan(client: Client, *, tenant: str, senders: tuple[str, ...], pool: bool) -> None:
    """Show what provisioning would make and change at AWS, and what it would cost; make nothing."""
    _show(client.post(path_of("admin", "tenants", tenant, "provision", "plan"), _body(senders, pool)))


@click.command("apply")
@click.argument("tenant")
@_SENDERS
@_POOL
@click.option("--fingerprint", help="Of a plan that was seen; without it the plan is shown and asked for.")
@over_the_api
def apply_plan(
    client: Client, *, tenant: str, senders: tuple[str, ...], pool: bool, fingerprint: str | None
) -> None:
    """Make what a plan says, and nothing if AWS is otherwise by then."""
    body = _body(senders, pool)
    if fingerprint is None:
        planned = client.post(path_of("admin", "tenants", tenant, "provision", "plan"), body)
        click.echo(planned["text"], err=True)
        click.confirm("Apply this plan?", abort=True, err=True)
        fingerprint = planned["fingerprint"]
    with Console(stderr=True).status("AWS takes one such request a second …"):
        made = client.post(
            path_of("admin", "tenants", tenant, "provision", "apply"), body | {"fingerprint": fingerprint}
        )
    if wants_json():
        show_one(made, ())
        return
    counts = [f"{len(made[name])} {name}" for name in ("created", "adopted", "waiting")]
    click.echo(f"{', '.join(counts)}.")


@click.command("drift")
@click.argument("tenant")
@click.option("--account", help="acc_…; the first account if absent.")
@over_the_api
def drift(client: Client, *, tenant: str, account: str | None) -> None:
    """Show what AWS has otherwise than the gateway wants; the exit status is 1 where there is anything."""
    found = client.get(path_of("admin", "tenants", tenant, "provision", "drift"), account=account)
    _show(found)
    if found["changes"]:
        raise SystemExit(1)


def wish_of(text: str, mps: float | None) -> dict[str, Any]:
    """
    Return a sender as the API takes it.

    Raises:
        click.UsageError: The text is none.
    """
    parts = text.split(":")
    if not _LEAST_PARTS <= len(parts) <= _MOST_PARTS:
        raise click.UsageError("--sender is COUNTRY:TYPE or COUNTRY:TYPE:VALUE")
    wish: dict[str, Any] = {"country": parts[0].upper(), "type": parts[1].upper()}
    if len(parts) == _MOST_PARTS:
        wish["value"] = parts[2]
    if mps is not None:
        wish["parts_per_second"] = mps
    return wish


def _body(senders: tuple[str, ...], pool: bool) -> dict[str, Any]:
    return {"senders": [wish_of(text, None) for text in senders], "dedicated_pool": pool}


def _show(planned: Any) -> None:
    if wants_json():
        show_one(planned, ())
        return
    click.echo(planned["text"])
    for each in planned["warnings"]:
        click.echo(f"warning: {each}")
    for each in planned["refusals"]:
        click.echo(f"refused: {each}")
    if planned["changes"]:
        click.echo(
            f"{planned['changes']} changes, about {planned['estimated_seconds']} s, {planned['monthly']} "
            f"{planned['unit']} a month more. Fingerprint: {planned['fingerprint']}"
        )
