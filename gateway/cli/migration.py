"""`tollgate migration`: bring a tenant over from another provider, a folder of CSV files at a time."""

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gateway.cli.calling import field, over_the_api, pairs, show_one, show_rows, wants_json
from gateway.cli.migration_files import MigrationPart, parts_of, placed
from gateway.client import Client, path_of
from gateway.plain_numbers import whole_number

_ROW: Final = (field("file"), field("line"), field("outcome"), field("column"), field("detail"))
_COUNT: Final = (
    field("file"),
    field("rows"),
    field("new"),
    field("known"),
    field("waiting"),
    field("by_hand", title="by hand"),
    field("refused"),
    field("faulty"),
)
_COUNTRY: Final = (
    field("country"),
    field("volume", "messages_per_month", title="a month"),
    field("volume", "parts_per_second", title="MPS"),
    field("recommended", title="sender"),
    field("registration"),
    field("days_at_least", title="days"),
    field("ready"),
    field("percent", title="% here"),
)
_NUMBER: Final = (
    field("value"),
    field("country"),
    field("type"),
    field("way"),
    field("state"),
    field("case"),
    field("note"),
)
_INVENTORY: Final = ("value", "country", "type", "way")
_SHOWN: Final = frozenset({"waiting", "by_hand", "refused", "faulty"})
_FOLDER: Final = click.Path(exists=True, file_okay=False, path_type=Path)


def _over_a_folder(command: Callable[..., None]) -> Callable[..., None]:
    """Take what `plan` and `apply` are told alike."""
    told = (
        click.argument("tenant"),
        click.argument("folder", type=_FOLDER),
        click.option("--provider", required=True, help="Where the tenant comes from."),
        click.option(
            "--account", help="acc_…, the AWS account whose senders are adopted; the first one otherwise."
        ),
    )
    for each in reversed(told):
        command = each(command)
    return command


@click.group("migration")
def command() -> None:
    """Plan and apply a tenant's move from another provider; needs the operator key."""


@command.command("plan")
@_over_a_folder
@over_the_api
def plan(client: Client, *, tenant: str, folder: Path, provider: str, account: str | None) -> None:
    """
    Say what `apply` would do with the files of FOLDER; nothing is written.

    FOLDER holds any of volumes.csv, numbers.csv, templates.csv, opt-outs.csv and consents.csv.
    """
    _run(client, "plan", tenant, parts_of(folder, provider, account))


@command.command("apply")
@_over_a_folder
@over_the_api
def apply(client: Client, *, tenant: str, folder: Path, provider: str, account: str | None) -> None:
    """Take every row of FOLDER that can be taken; run it again after mending the others."""
    _run(client, "apply", tenant, parts_of(folder, provider, account))


@command.command("show")
@click.argument("tenant")
@over_the_api
def show(client: Client, *, tenant: str) -> None:
    """Show the countries and the senders of a migration."""
    found = client.get(path_of("admin", "tenants", tenant, "migration"))
    if wants_json():
        show_one(found, ())
        return
    show_rows(found["countries"], _COUNTRY, empty="Nothing is planned yet.")
    if found["numbers"]:
        show_rows(found["numbers"], _NUMBER, empty="")


@command.command("cut-over")
@click.argument("tenant")
@click.argument("shares", nargs=-1, required=True, metavar="CC=PERCENT…")
@over_the_api
def cut_over(client: Client, *, tenant: str, shares: tuple[str, ...]) -> None:
    """Set how many of a hundred recipients of each country are texted from here."""
    given = pairs([share.upper() for share in shares], "CC=PERCENT")
    wanted = {country: _percent(text) for country, text in given.items()}
    path = path_of("admin", "tenants", tenant, "migration", "cut-over")
    found = client.call("PUT", path, {"shares": wanted}).body
    show_rows(found["countries"], _COUNTRY, empty="")


@command.command("number")
@click.argument("tenant")
@click.argument("value")
@click.argument("state", type=click.Choice(["planned", "submitted", "done", "refused"]))
@click.option("--case", help="AWS's support case.")
@click.option("--note")
@over_the_api
def number(
    client: Client, *, tenant: str, value: str, state: str, case: str | None, note: str | None
) -> None:
    """Write down what came of a number, such as that porting was asked for."""
    path = path_of("admin", "tenants", tenant, "migration", "numbers", value)
    show_one(client.call("PATCH", path, {"state": state, "case": case, "note": note}).body, _NUMBER)


@command.command("inventory")
@click.option("--account", help="acc_…; the first one otherwise.")
@over_the_api
def inventory(client: Client, *, account: str | None) -> None:
    """Print a numbers.csv of what an AWS account leases and no tenant has, to adopt it."""
    rows = client.get(path_of("admin", "numbers"), account=account)["data"]
    spare = [each for each in rows if each["spare"]]
    if wants_json():
        show_rows(spare, (), empty="")
        return
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(_INVENTORY)
    table.writerows([each["value"], each["country"], each["type"], "adopt"] for each in spare)


def _run(client: Client, act: str, tenant: str, parts: list[MigrationPart]) -> None:
    columns = (TextColumn(act), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    rows: list[Any] = []
    with Progress(*columns, console=Console(stderr=True)) as progress:
        for part in progress.track(parts):
            found = client.post(path_of("admin", "tenants", tenant, "migration", act), part.body)
            rows += [placed(row, part) for row in found["rows"]]
    if wants_json():
        show_rows(rows, (), empty="")
    else:
        show_rows([row for row in rows if row["outcome"] in _SHOWN], _ROW, empty="Nothing is left to do.")
        show_rows(_counts(rows), _COUNT, empty="The files have no rows.")
    if any(row["outcome"] == "faulty" for row in rows):
        raise click.exceptions.Exit(1)


def _counts(rows: list[Any]) -> list[dict[str, Any]]:
    names = dict.fromkeys(row["file"] for row in rows)
    return [
        {"file": name, "rows": sum(row["file"] == name for row in rows)}
        | {
            outcome: sum((row["file"], row["outcome"]) == (name, outcome) for row in rows)
            for outcome in ("new", "known", "waiting", "by_hand", "refused", "faulty")
        }
        for name in names
    ]


def _percent(text: str) -> int:
    percent = whole_number(text)
    if percent is None:
        raise click.UsageError("a share is a whole number of per cent, such as US=25")
    return percent
