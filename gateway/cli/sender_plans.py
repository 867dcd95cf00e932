"""`tollgate senders plan`, `apply` and `drift`: what a tenant has at AWS, and what it shall have."""

from typing import Any, Final

import click
from rich.console import Console

from gateway.cli.calling import field, over_the_api, show_one, show_rows, wants_json
from gateway.client import Client, path_of

_LEAST_PARTS: Final = 2
_MOST_PARTS: Final = 3
_NUMBERS: Final = (
    field("value"),
    field("type"),
    field("country"),
    field("monthly_usd", title="USD a month"),
    field("protected"),
    field("tenants"),
)
_RUNS: Final = (
    field("id"),
    field("started_at", title="begun"),
    field("state"),
    field("now"),
    field("detail"),
)
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


@click.command("runs")
@click.argument("tenant")
@click.option("--limit", type=click.IntRange(1), default=10, show_default=True)
@over_the_api
def runs(client: Client, *, tenant: str, limit: int) -> None:
    """Show what provisioning runs did and are doing, the newest first; call again to see one go on."""
    found = client.rows(path_of("admin", "tenants", tenant, "provision", "runs"), limit=limit)
    show_rows([each | {"now": _step_of(each)} for each in found], _RUNS, empty="Nothing was provisioned yet.")


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


@click.command("teardown")
@click.argument("tenant")
@click.option("--account", help="acc_…; the first account if absent.")
@click.option("--apply", "apply_", is_flag=True, help="Do it; without it a dry run.")
@click.option("--release-numbers", is_flag=True, help="Give numbers and sender ids back to AWS, for good.")
@click.option("--delete-opt-out-list", is_flag=True, help="Delete AWS's opt-out list, too.")
@click.option("--drained", is_flag=True, help="Give up on messages that still wait.")
@over_the_api
def teardown(client: Client, *, tenant: str, account: str | None, apply_: bool, **given: bool) -> None:
    """Show, or with --apply take away, what a tenant has at AWS."""
    body = {"account": account, "dry_run": not apply_, **given}
    with Console(stderr=True).status("AWS takes one such request a second …"):
        answer = client.post(path_of("admin", "tenants", tenant, "provision", "teardown"), body)
    if wants_json():
        show_one(answer, ())
    elif answer["plan"] is not None:
        _show(answer["plan"])
    else:
        click.echo("\n".join(f"- {each}" for each in answer["gone"]) or "There was nothing to take away.")


@click.command("numbers")
@click.option("--account", help="acc_…; the first account if absent.")
@over_the_api
def numbers(client: Client, *, account: str | None) -> None:
    """List what an AWS account leases, the spare ones first."""
    found = client.get(path_of("admin", "numbers"), account=account)["data"]
    rows = [each | {"tenants": [owner["name"] for owner in each["owners"]]} for each in found]
    show_rows(rows, _NUMBERS, empty="The account leases nothing.")


def _step_of(run: dict[str, Any]) -> str:
    """Return how far a run is, and at which step it works or ended."""
    at = [each["name"] for each in run["steps"] if each["state"] in {"running", "failed"}]
    return f"{run['done']} of {len(run['steps'])}" + "".join(f", {name}" for name in at)


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
