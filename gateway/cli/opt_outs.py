"""`tollgate opt-outs`: who must not be messaged, and every change that led there."""

from pathlib import Path
from typing import Final

import click

from gateway.cli.calling import field, over_the_api, show_one, show_rows, wants_json
from gateway.cli.text_file import text_of
from gateway.client import Client, path_of

_LISTED: Final = (field("number"), field("list"), field("source"), field("created_at", title="since"))
_STATE: Final = (field("number"), field("list"), field("opted_out", title="opted out"), field("changed"))
_CHANGE: Final = (
    field("at"),
    field("number"),
    field("change"),
    field("list"),
    field("source"),
    field("actor"),
    field("note"),
)
_FAULT: Final = (field("line"), field("column"), field("code"), field("detail"))


@click.group("opt-outs")
def command() -> None:
    """List, add, remove and import opt-outs; show who asked for what, when."""


@command.command("list")
@click.option("--list", "list_name", help="`all`, a message type, or a list of your own.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@over_the_api
def list_opt_outs(client: Client, *, list_name: str | None, limit: int) -> None:
    """List opted-out numbers."""
    path = path_of("opt-outs") if list_name is None else path_of("opt-out-lists", list_name, "numbers")
    show_rows(client.rows(path, limit=limit), _LISTED, empty="Nobody has opted out.")


@command.command("add")
@click.argument("number")
@click.option("--list", "list_name", default="all", show_default=True)
@over_the_api
def add(client: Client, *, number: str, list_name: str) -> None:
    """Opt a number out."""
    path = path_of("opt-out-lists", list_name, "numbers", number)
    show_one(client.call("PUT", path).body, _STATE)


@command.command("remove")
@click.argument("number")
@click.option("--list", "list_name", default="all", show_default=True)
@over_the_api
def remove(client: Client, *, number: str, list_name: str) -> None:
    """Take a number off a list: only where the person asked for messages again."""
    path = path_of("opt-out-lists", list_name, "numbers", number)
    show_one(client.call("DELETE", path).body, _STATE)


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only look what the file would do.")
@over_the_api
def import_file(client: Client, *, file: Path, dry_run: bool) -> None:
    """Import a CSV file with the columns number, list, opted_out and note; whole or not at all."""
    body = {"csv": text_of(file), "dry_run": dry_run}
    done = client.post(path_of("opt-outs", "import"), body)
    if wants_json():
        show_one(done, ())
    elif done["faults"]:
        show_rows(done["errors"], _FAULT, empty="")
        click.echo(f"Nothing was changed: {done['faults']} of {done['rows']} rows have a fault.")
    else:
        what = f"{done['changed']} changed" if done["applied"] else "nothing was changed, as asked"
        click.echo(f"{done['rows']} rows are well formed; {what}.")
    if done["faults"]:
        click.get_current_context().exit(1)


@command.command("changes")
@click.option("--number", help="E.164; everybody's where absent.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@over_the_api
def changes(client: Client, *, number: str | None, limit: int) -> None:
    """Show the ledger, the oldest first."""
    wanted = {} if number is None else {"number": number}
    rows = client.rows(path_of("opt-outs", "changes"), limit=limit, **wanted)
    show_rows(rows, _CHANGE, empty="Nothing has changed yet.")
