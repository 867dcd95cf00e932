"""`tollgate numbers`: what an AWS account leases, and numbers that no tenant has yet."""

from typing import Any, Final

import click

from gateway.cli.calling import field, over_the_api, show_one
from gateway.cli.sender_plans import numbers as list_numbers
from gateway.client import ApiRefused, Client, path_of

_SPARE: Final = (
    field("number_id", title="id"),
    field("value"),
    field("status"),
    field("monthly_usd", title="USD a month"),
    field("protected"),
    field("created"),
)
_ACCOUNT: Final = click.option("--account", help="acc_…; the first account if absent.")
_UNCONFIRMED: Final = "cost_not_confirmed"


@click.group("numbers")
def command() -> None:
    """List, lease, protect and release numbers; needs the operator key."""


command.add_command(list_numbers, "list")


@command.command("request")
@click.argument("reference")
@click.argument("country")
@click.argument(
    "type_", metavar="TYPE", type=click.Choice(["TEN_DLC", "LONG_CODE", "TOLL_FREE", "SIMULATOR"])
)
@click.option("--promotional", is_flag=True, help="For promotional texts, which AWS keeps apart.")
@click.option("--channel", "channels", multiple=True, type=click.Choice(["sms", "mms", "voice"]))
@click.option("--registration", help="AWS's id of the registration that it is for.")
@click.option("--protect/--no-protect", default=True, show_default=True)
@click.option("--yes", is_flag=True, help="Accept the cost without being asked.")
@_ACCOUNT
@over_the_api
def request(
    client: Client, *, reference: str, country: str, type_: str, account: str | None, **given: Any
) -> None:
    """Lease a number under a REFERENCE of yours; asked again under it, none is leased."""
    body = {
        "reference": reference,
        "country": country.upper(),
        "type": type_,
        "message_type": "PROMOTIONAL" if given["promotional"] else "TRANSACTIONAL",
        "channels": list(given["channels"]) or ["sms"],
        "registration_id": given["registration"],
        "protected": given["protect"],
        "accept_cost": given["yes"],
    }
    try:
        made = _requested(client, body, account)
    except ApiRefused as refused:
        if refused.code != _UNCONFIRMED or given["yes"]:
            raise
        click.confirm(f"{refused.problem['detail']} Lease it?", abort=True, err=True)
        made = _requested(client, body | {"accept_cost": True}, account)
    show_one(made, _SPARE)


@command.command("protect")
@click.argument("number_id")
@click.option("--off", is_flag=True, help="Let it be released.")
@_ACCOUNT
@over_the_api
def protect(client: Client, *, number_id: str, off: bool, account: str | None) -> None:
    """Let AWS refuse to release a number, or with --off no longer."""
    path = path_of("admin", "numbers", number_id, "protection")
    shown = client.call("PUT", path, {"protected": not off}, query={"account": account}).body
    show_one(shown, _SPARE)


@command.command("release")
@click.argument("number_id")
@click.option("--yes", is_flag=True, help="Release it without being asked.")
@_ACCOUNT
@over_the_api
def release(client: Client, *, number_id: str, yes: bool, account: str | None) -> None:
    """Give a number back to AWS for good; it gives it to anyone."""
    if not yes:
        click.confirm(f"Release {number_id} for good?", abort=True, err=True)
    shown = client.call("DELETE", path_of("admin", "numbers", number_id), query={"account": account}).body
    show_one(shown, _SPARE, before="Released.")


def _requested(client: Client, body: dict[str, Any], account: str | None) -> Any:
    return client.call("POST", path_of("admin", "numbers"), body, query={"account": account}).body
