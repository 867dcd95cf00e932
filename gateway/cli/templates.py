"""`tollgate templates`: what a tenant may say."""

import json
from typing import Any, Final

import click

from gateway.cli.calling import Field, field, over_the_api, pairs, show_one, show_rows, wants_json
from gateway.client import Client, path_of
from gateway.plain_numbers import whole_number

_FIELDS = (
    field("id"),
    field("name"),
    field("version"),
    field("state"),
    field("type"),
    field("use_case"),
    field("countries"),
    field("worst_case", "encoding", title="encoding"),
    field("worst_case", "parts", title="parts"),
)
_LIBRARY = (field("id"), field("title"), field("type"), field("use_case"), field("body"))


def _findings(row: Any) -> list[str]:
    return [f"{each['severity']}: {each['detail']}; {each['fix']}" for each in row["findings"]]


_WAITING: Final[tuple[Field, ...]] = (
    field("template_id", title="id"),
    field("tenant_id", title="tenant"),
    field("name"),
    field("version"),
    field("type"),
    field("body"),
    ("findings", _findings),
)
_TYPES: Final = ("otp", "transactional", "promotional")


@click.group("templates")
def command() -> None:
    """Write and submit templates; approve or reject them with the operator key."""


@command.command("list")
@click.option("--waiting", is_flag=True, help="What waits for the operator, over all tenants.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@over_the_api
def list_templates(client: Client, *, waiting: bool, limit: int) -> None:
    """List templates, the newest first."""
    if waiting:
        rows = client.rows(path_of("admin", "templates"), limit=limit)
        show_rows(rows, _WAITING, empty="Nothing waits for a decision.")
        return
    show_rows(client.rows(path_of("templates"), limit=limit), _FIELDS, empty="There are no templates yet.")


@command.command("library")
@over_the_api
def show_library(client: Client) -> None:
    """List the templates to start from."""
    show_rows(client.get(path_of("template-library"))["data"], _LIBRARY, empty="The library is empty.")


@command.command("create")
@click.option("--name", help="Sends may call it by this name.")
@click.option("--from-library", help="An id of `tollgate templates library`, instead of --type and --body.")
@click.option("--type", "kind", type=click.Choice(_TYPES))
@click.option("--body", help="Place-holders in braces: 'Acme: your code is {code}'.")
@click.option(
    "--variable",
    "variables",
    multiple=True,
    metavar="NAME=KIND[:MAX]",
    help="Such as code=digits:6; kinds: text, digits, url, date, amount. May be repeated.",
)
@click.option("--country", "countries", multiple=True, help="Where it may go; may be repeated.")
@click.option("--use-case", help="What it is for; the type's usual one otherwise.")
@over_the_api
def create(
    client: Client,
    *,
    name: str | None,
    from_library: str | None,
    kind: str | None,
    body: str | None,
    variables: tuple[str, ...],
    countries: tuple[str, ...],
    use_case: str | None,
) -> None:
    """Write a template, a draft, and say what the linter thinks of it."""
    given = {"name": name, "from_library": from_library, "type": kind, "body": body, "use_case": use_case}
    wanted: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if variables:
        wanted["variables"] = {
            key: _declaration(text) for key, text in pairs(variables, "--variable").items()
        }
    if countries:
        wanted["countries"] = [country.upper() for country in countries]
    _show(client.post(path_of("templates"), wanted), before="Written; submit it to have it approved.")


@command.command("submit")
@click.argument("template")
@over_the_api
def submit(client: Client, *, template: str) -> None:
    """Hand the latest version in for approval."""
    found = client.post(path_of("templates", template, "submit"))
    _show(found, before="Approved." if found["state"] == "approved" else "Submitted; the operator decides.")


@command.command("approve")
@click.argument("template")
@click.option("--version", type=click.IntRange(1), help="The one that was read; needed where several wait.")
@click.option("--retire-older", is_flag=True, help="Take older approved versions out of use.")
@over_the_api
def approve(client: Client, *, template: str, version: int | None, retire_older: bool) -> None:
    """Allow a submitted version to be sent; needs the operator key."""
    body: dict[str, Any] = {"keep_older": not retire_older}
    if version is not None:
        body["version"] = version
    _show(client.post(path_of("admin", "templates", template, "approve"), body), before="Approved.")


@command.command("reject")
@click.argument("template")
@click.option("--reason", required=True, help="What the author has to change.")
@click.option("--version", type=click.IntRange(1), help="The one that was read; needed where several wait.")
@over_the_api
def reject(client: Client, *, template: str, reason: str, version: int | None) -> None:
    """Refuse a submitted version and say why; needs the operator key."""
    body: dict[str, Any] = {"reason": reason}
    if version is not None:
        body["version"] = version
    _show(client.post(path_of("admin", "templates", template, "reject"), body), before="Rejected.")


def _show(row: Any, *, before: str) -> None:
    show_one(row, _FIELDS, before=before)
    if wants_json():
        return
    for line in _findings(row):
        click.echo(f"  {line}")


def _declaration(text: str) -> dict[str, Any]:
    kind, _, longest = text.partition(":")
    if not longest:
        return {"kind": kind}
    most = whole_number(longest)
    if most is None:
        raise click.UsageError(f"--variable is NAME=KIND or NAME=KIND:MAX, not {json.dumps(text)}")
    return {"kind": kind, "max_length": most}
