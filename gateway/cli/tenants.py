"""`tollgate tenants`: the operator's customers."""

import json
from typing import Any, cast

import click

from gateway.cli.calling import field, over_the_api, show_one, show_rows
from gateway.cli.onboard import onboard
from gateway.cli.tenant_export import export
from gateway.client import Client, path_of

_FIELDS = (
    field("id"),
    field("slug"),
    field("name"),
    field("model"),
    field("state"),
    field("live"),
    field("plan", "pricing"),
    field("countries"),
)
_OF_PERSON = (
    field("id"),
    field("email"),
    field("signs_in_by", title="signs in by"),
    field("created_at", title="since"),
    field("enrolled_at", title="enrolled"),
)
_MOST_PEOPLE = 1000


@click.group("tenants")
def command() -> None:
    """Create, list and change tenants; needs the operator key."""


command.add_command(onboard)
command.add_command(export)


@command.command("list")
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True)
@over_the_api
def list_tenants(client: Client, *, limit: int) -> None:
    """List tenants, the oldest first."""
    show_rows(client.rows("/v1/admin/tenants", limit=limit), _FIELDS, empty="There are no tenants yet.")


@command.command("show")
@click.argument("tenant")
@over_the_api
def show_tenant(client: Client, *, tenant: str) -> None:
    """Show one tenant and its plan."""
    row = client.get(path_of("admin", "tenants", tenant))
    show_one(row, (*_FIELDS, ("plan", lambda each: json.dumps(each["plan"]))))


@command.command("create")
@click.option("--name", required=True)
@click.option("--slug", required=True, help="2 to 40 of a-z, 0-9 and -; part of the names at AWS.")
@click.option(
    "--model",
    type=click.IntRange(1, 6),
    required=True,
    help="1: own AWS account, 2: by hand, 3: tenant sends, 4: operator sends, 5: templates only, 6: managed.",
)
@click.option("--country", "countries", multiple=True, required=True, help="ISO code; may be repeated.")
@click.option("--pricing", type=click.Choice(["dollars", "credits"]), default="dollars", show_default=True)
@over_the_api
def create_tenant(
    client: Client, *, name: str, slug: str, model: int, countries: tuple[str, ...], pricing: str
) -> None:
    """Create a tenant; provision senders for it next."""
    body = {
        "name": name,
        "slug": slug,
        "model": model,
        "countries": [country.upper() for country in countries],
        "plan": {"pricing": pricing},
    }
    show_one(client.post("/v1/admin/tenants", body), _FIELDS, before="Created.")


@command.command("plan")
@click.argument("tenant")
@click.argument("changes")
@over_the_api
def change_plan(client: Client, *, tenant: str, changes: str) -> None:
    """
    Change members of a tenant's plan, given as JSON; those not named stay, countries in a map too.

    For example: tollgate tenants plan ten_… '{"country_mps": {"FR": 10}, "requests_per_second": 50}'

    Null takes one away: '{"country_mps": {"FR": null}, "requests_per_second": null}'
    """
    row = client.call("PATCH", path_of("admin", "tenants", tenant), {"plan": _object(changes)}).body
    show_one(row, (*_FIELDS, ("plan", lambda each: json.dumps(each["plan"]))), before="Changed.")


@command.command("suspend")
@click.argument("tenant")
@over_the_api
def suspend(client: Client, *, tenant: str) -> None:
    """Refuse the tenant's sends and hold back what waits; reading still works."""
    show_one(client.post(path_of("admin", "tenants", tenant, "suspend")), _FIELDS, before="Suspended.")


@command.command("resume")
@click.argument("tenant")
@over_the_api
def resume(client: Client, *, tenant: str) -> None:
    """Let a suspended tenant send again, and what waited leave."""
    show_one(client.post(path_of("admin", "tenants", tenant, "resume")), _FIELDS, before="Resumed.")


@command.command("invite")
@click.argument("tenant")
@click.argument("email")
@click.option(
    "--hours", type=click.IntRange(1, 720), default=72, show_default=True, help="How long the link works."
)
@over_the_api
def invite(client: Client, *, tenant: str, email: str, hours: int) -> None:
    """Invite a person to the console; the link is shown this once and works once."""
    body = {"email": email, "expires_in_hours": hours}
    row = client.post(path_of("admin", "tenants", tenant, "invitations"), body)
    fields = (field("id"), field("email"), field("expires_at", title="expires"), field("link"))
    show_one(row, fields, before="Invited.")


@command.command("people")
@click.argument("tenant")
@over_the_api
def list_people(client: Client, *, tenant: str) -> None:
    """List who may sign in to the console."""
    rows = client.rows(path_of("admin", "tenants", tenant, "people"), limit=_MOST_PEOPLE)
    show_rows(rows, _OF_PERSON, empty="Nobody signs in for this tenant.")


@command.command("remove-person")
@click.argument("tenant")
@click.argument("person")
@click.confirmation_option(prompt="Every browser of theirs is signed out at once. Remove the person?")
@over_the_api
def remove_person(client: Client, *, tenant: str, person: str) -> None:
    """Take PERSON (psn_…) out of the console."""
    row = client.call("DELETE", path_of("admin", "tenants", tenant, "people", person)).body
    show_one(row, _OF_PERSON, before="Removed.")


@command.command("close")
@click.argument("tenant")
@click.confirmation_option(prompt="A closed tenant never opens again. Close it?")
@over_the_api
def close(client: Client, *, tenant: str) -> None:
    """End a tenant for good; its rows and its ledger stay, and its keys and people go on reading."""
    show_one(client.post(path_of("admin", "tenants", tenant, "close")), _FIELDS, before="Closed.")


@command.command("erase")
@click.argument("tenant")
@click.confirmation_option(
    prompt="Numbers, texts and people of a closed tenant are gone for good; the books stay. Erase it?"
)
@over_the_api
def erase(client: Client, *, tenant: str) -> None:
    """Forget a closed tenant; asked again, it shows how far that is."""
    row = client.post(path_of("admin", "tenants", tenant, "erase"))
    shown = (field("tenant"), field("state"), field("asked_at"), field("finished_at"), ("rows", _erased))
    show_one(row, shown)


def _erased(row: dict[str, Any]) -> int:
    rows: dict[str, int] = row["rows"]
    return sum(rows.values())


def _object(text: str) -> dict[str, Any]:
    try:
        value: Any = json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"the changes are not JSON: {error}") from error
    if not isinstance(value, dict):
        raise click.UsageError("the changes are a JSON object")
    return cast("dict[str, Any]", value)
