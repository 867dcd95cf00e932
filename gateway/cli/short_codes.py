"""`tollgate short-codes`: applications for short codes, which AWS takes by support case only."""

from io import BytesIO
from pathlib import Path
from typing import Any, Final

import click

from gateway.cli.calling import field, over_the_api, pairs, show_one, show_rows, wants_json
from gateway.client import Client, path_of
from tenants.shortcodes.stages import STAGE_NAMES

_LISTED: Final = (
    field("id"),
    field("tenant_id", title="tenant"),
    field("country"),
    field("name"),
    field("stage"),
    field("owner", title="with"),
    field("days_in_stage", title="days"),
    field("overdue"),
    field("code"),
)
_ONE: Final = (
    *_LISTED,
    field("step"),
    field("next_action", title="next"),
    field("support_case", title="case"),
    field("billing_started_at", title="billed since"),
)
_HISTORY: Final = (field("at"), field("stage"), field("by"), field("note"))
_ANSWERS: Final = (field("key"), field("title"), field("value"), field("required"))


@click.group("short-codes")
def command() -> None:
    """Begin, answer, export and track short codes; needs the operator key."""


@command.command("list")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@over_the_api
def list_short_codes(client: Client, *, limit: int) -> None:
    """List every tenant's short codes, the newest first."""
    show_rows(client.rows(path_of("admin", "short-codes"), limit=limit), _LISTED, empty="There are none.")


@command.command("begin")
@click.argument("tenant")
@click.argument("country")
@click.argument("name")
@click.option("--case", "support_case", help="AWS's number of the support case; one for each country.")
@over_the_api
def begin(client: Client, *, tenant: str, country: str, name: str, support_case: str | None) -> None:
    """Enter a short code that was asked for in a support case."""
    body = {"country": country.upper(), "name": name, "support_case": support_case}
    show_one(client.post(path_of("admin", "tenants", tenant, "short-codes"), body), _ONE)


@command.command("show")
@click.argument("tenant")
@click.argument("short_code")
@over_the_api
def show(client: Client, *, tenant: str, short_code: str) -> None:
    """Show where a short code is, and what came before."""
    found = client.get(_home(tenant, short_code))
    show_one(found, _ONE)
    if not wants_json():
        show_rows(found["history"], _HISTORY, empty="")


@command.command("stage")
@click.argument("tenant")
@click.argument("short_code")
@click.argument("stage", type=click.Choice(STAGE_NAMES))
@click.option("--note", help="What the support case says.")
@click.option("--code", help="The code itself, once AWS names it.")
@click.option("--billed-since", help="When AWS began to bill it, such as 2026-11-01T00:00:00Z.")
@over_the_api
def move(client: Client, *, tenant: str, short_code: str, stage: str, **given: Any) -> None:
    """Move a short code to a stage, as the support case says."""
    body = {
        "stage": stage,
        "note": given["note"],
        "code": given["code"],
        "billing_started_at": given["billed_since"],
    }
    show_one(client.post(f"{_home(tenant, short_code)}/stage", body), _ONE)


@command.command("answer")
@click.argument("tenant")
@click.argument("short_code")
@click.argument("answers", nargs=-1, required=True, metavar="KEY=TEXT…")
@over_the_api
def answer(client: Client, *, tenant: str, short_code: str, answers: tuple[str, ...]) -> None:
    """Answer what the pack asks; an empty text takes an answer back."""
    given = {key: text or None for key, text in pairs(answers, "KEY=TEXT").items()}
    _show_pack(client.call("PUT", f"{_home(tenant, short_code)}/answers", {"answers": given}).body)


@command.command("pack")
@click.argument("tenant")
@click.argument("short_code")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it as HTML to print.")
@over_the_api
def pack(client: Client, *, tenant: str, short_code: str, out: Path | None) -> None:
    """Show the application pack, or write it to a file once nothing is blank."""
    home = f"{_home(tenant, short_code)}/pack"
    if out is None:
        _show_pack(client.get(home))
        return
    page = BytesIO()
    client.download(f"{home}.html", page)
    out.write_bytes(page.getvalue())
    click.echo(f"Wrote {out}.")


def _show_pack(found: Any) -> None:
    if wants_json():
        show_one(found, ())
        return
    show_rows(found["fields"], _ANSWERS, empty="")
    said = "Nothing is blank." if found["complete"] else f"Blank: {', '.join(found['blank'])}."
    click.echo(said)


def _home(tenant: str, short_code: str) -> str:
    return path_of("admin", "tenants", tenant, "short-codes", short_code)
