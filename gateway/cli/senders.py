"""`tollgate senders`: the origination identities of a tenant."""

from typing import Any, Final

import click
from rich.console import Console

from gateway.cli.calling import field, over_the_api, show_one, show_rows, wants_json
from gateway.cli.rate_option import rate
from gateway.cli.sender_advice import advise, plan_sheet
from gateway.cli.sender_plans import apply_plan, drift, numbers, plan, runs, teardown, wish_of
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
_GATES: Final = (
    field("id"),
    field("country"),
    field("parts_per_second", title="MPS"),
    field("shared", title="campaign"),
    field("daily"),
    field("plan_parts_per_second", title="plan MPS"),
    field("ceiling_parts_per_second", title="reaches"),
)
_INCREASE: Final = (
    field("id"),
    field("sender_id", title="sender"),
    field("country"),
    field("requested_parts_per_second", title="asked"),
    field("granted_parts_per_second", title="granted"),
    field("state"),
    field("case_id", title="case"),
)


@click.group("senders")
def command() -> None:
    """List senders; make them at AWS with the operator key."""


command.add_command(advise)
command.add_command(plan_sheet)
command.add_command(plan)
command.add_command(apply_plan)
command.add_command(runs)
command.add_command(drift)
command.add_command(teardown)
command.add_command(numbers)


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
@click.option("--mps", type=rate, help="Message parts per second of these senders; AWS's default otherwise.")
@over_the_api
def provision(client: Client, *, tenant: str, senders: tuple[str, ...], mps: float | None) -> None:
    """Make what a tenant needs at AWS; asking again makes nothing twice."""
    body = {"senders": [wish_of(text, mps) for text in senders]}
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


@command.command("gates")
@click.argument("sender")
@over_the_api
def gates(client: Client, *, sender: str) -> None:
    """Show every gate that a message of a sender passes."""
    show_one(client.get(path_of("senders", sender, "gates")), _GATES)


@command.command("quota")
@click.argument("tenant")
@click.argument("sender")
@click.option("--mps", type=rate, help="Message parts per second, as AWS granted them.")
@click.option("--per-day", type=int, help="Message parts per UTC day of this sender alone.")
@click.option("--country", "countries", multiple=True, metavar="CC=MPS", help="May be repeated.")
@click.option("--campaign", help="The Campaign Registry's id; needs --brand and --use-case.")
@click.option("--brand", help="The brand's id.")
@click.option("--use-case", help="Such as TWO_FACTOR_AUTHENTICATION, MARKETING, MIXED or LOW_VOLUME.")
@click.option("--vetting-score", type=click.IntRange(0, 100), help="The brand's; leave out if not vetted.")
@over_the_api
def quota(client: Client, *, tenant: str, sender: str, **given: Any) -> None:
    """Set what AWS or the carriers allow a sender; what is not given stays."""
    change: dict[str, Any] = {}
    if given["mps"] is not None:
        change["parts_per_second"] = given["mps"]
    if given["per_day"] is not None:
        change["parts_per_day"] = given["per_day"]
    if given["countries"]:
        change["countries"] = dict(_country_rate(text) for text in given["countries"])
    if given["campaign"]:
        change["campaign"] = _campaign(given)
    elif any(given[name] is not None for name in ("brand", "use_case", "vetting_score")):
        raise click.UsageError(
            "--brand, --use-case and --vetting-score are of a campaign: name it by --campaign"
        )
    path = path_of("admin", "tenants", tenant, "senders", sender)
    show_one(client.call("PATCH", path, change).body, _GATES)


@command.command("request-increase")
@click.argument("tenant")
@click.argument("sender")
@click.argument("mps", type=rate)
@click.option("--country", help="Destination country; all of the sender's where absent.")
@click.option("--case", "case_id", help="The support case at AWS.")
@over_the_api
def request_increase(
    client: Client, *, tenant: str, sender: str, mps: float, country: str | None, case_id: str | None
) -> None:
    """Note an MPS increase that was asked for at AWS."""
    body = {"parts_per_second": mps, "country": country, "case_id": case_id}
    path = path_of("admin", "tenants", tenant, "senders", sender, "mps-increases")
    show_one(client.post(path, body), _INCREASE)


@command.command("increases")
@click.argument("tenant")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@over_the_api
def list_increases(client: Client, *, tenant: str, limit: int) -> None:
    """List a tenant's MPS increases, the newest first."""
    rows = client.rows(path_of("admin", "tenants", tenant, "mps-increases"), limit=limit)
    show_rows(rows, _INCREASE, empty="No increase was asked for.")


@command.command("decide-increase")
@click.argument("tenant")
@click.argument("increase")
@click.argument("answer", type=click.Choice(["approve", "deny"]))
@click.option("--mps", type=rate, help="What AWS granted, where it is not what was asked for.")
@over_the_api
def decide_increase(client: Client, *, tenant: str, increase: str, answer: str, mps: float | None) -> None:
    """Write down what AWS answered; an approval changes the quota at once."""
    path = path_of("admin", "tenants", tenant, "mps-increases", increase, answer)
    show_one(client.post(path, {"parts_per_second": mps} if answer == "approve" else None), _INCREASE)


def _country_rate(text: str) -> tuple[str, float]:
    country, _, figure = text.partition("=")
    try:
        return country.upper(), rate(figure)
    except click.BadParameter as error:
        raise click.UsageError(f"--country is CC=MPS, such as GB=20: {error.message}") from error


def _campaign(given: dict[str, Any]) -> dict[str, Any]:
    if not (given["brand"] and given["use_case"]):
        raise click.UsageError("--campaign needs --brand and --use-case")
    return {
        "campaign_id": given["campaign"],
        "brand_id": given["brand"],
        "use_case": given["use_case"].upper(),
        "vetting_score": given["vetting_score"],
    }
