"""`tollgate prices`: price books, with the operator key."""

from pathlib import Path

import click

from gateway.cli.calling import field, over_the_api, show_one, show_rows, wants_json
from gateway.cli.text_file import text_of
from gateway.client import Client, Json, path_of

_BOOK = (field("name"), field("example"), field("imported_at", title="imported"))
_LINE = tuple(
    field(name) for name in ("item", "country", "sender_type", "channel", "sell_usd", "cost_usd", "credits")
)
_CHANGE = (field("change"), *_LINE[:4], field("before"), field("after"))
_DRIFT = tuple(
    field(name)
    for name in ("country", "channel", "messages", "parts", "book_usd", "actual_usd", "drift_percent")
)
_BOOK_OPTION = click.option("--book", default="default", show_default=True, help="Name of the price book.")


@click.group("prices")
def command() -> None:
    """Import, list and compare price books; see where AWS charges otherwise."""


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check the file and show what would change; store nothing.")
@_BOOK_OPTION
@over_the_api
def import_file(client: Client, *, file: Path, dry_run: bool, book: str) -> None:
    """Make a CSV file the whole book from now on."""
    path = path_of("admin", "price-books", book, "import") + ("?dry_run=true" if dry_run else "")
    answer = client.post(path, {"csv": text_of(file)})
    _show_changes(answer, "Would change" if dry_run else "Changed")


@command.command("list")
@click.option("--book", help="Show the lines of this book instead of the books.")
@over_the_api
def list_books(client: Client, *, book: str | None) -> None:
    """List the books, or the lines of one."""
    if book is None:
        show_rows(client.get(path_of("admin", "price-books"))["data"], _BOOK, empty="There is no price book.")
        return
    rows = client.get(path_of("admin", "price-books", book))["data"]
    show_rows(
        [row["line"] | row for row in rows],
        (*_LINE, field("valid_from"), field("valid_to")),
        empty="No line holds.",
    )


@command.command("diff")
@click.argument("against")
@_BOOK_OPTION
@over_the_api
def diff_books(client: Client, *, against: str, book: str) -> None:
    """Show what a tenant of the book AGAINST would pay otherwise under --book."""
    _show_changes(client.get(path_of("admin", "price-books", book, "diff"), against=against), "Differs")


@command.command("drift")
@click.option("--days", type=click.IntRange(1, 92), default=30, show_default=True)
@_BOOK_OPTION
@over_the_api
def show_drift(client: Client, *, days: int, book: str) -> None:
    """Show by country what the book says and what AWS charged."""
    rows = client.get(path_of("admin", "price-books", book, "drift"), days=days)["data"]
    show_rows(rows, _DRIFT, empty="No receipt with a price yet.")


def _show_changes(answer: Json, verb: str) -> None:
    if wants_json():
        show_one(answer, ())
        return
    click.echo(f"{verb}: {answer['added']} added, {answer['changed']} changed, {answer['removed']} removed.")
    if answer["changes"]:
        show_rows([_row(change) for change in answer["changes"]], _CHANGE, empty="")


def _row(change: Json) -> Json:
    line = change["after"][0]["line"] if change["after"] else change["before"]
    return {
        **line,
        "change": change["change"],
        "before": _price(change["before"]),
        "after": [_dated(each) for each in change["after"]] or "-",
    }


def _dated(each: Json) -> str:
    """Say since when a price holds, where that is not the import."""
    begins = each["valid_from"]
    return _price(each["line"]) + ("" if begins is None else f" from {begins[:10]}")


def _price(line: Json) -> str:
    return "-" if line is None else f"{line['sell_usd']} ({line['cost_usd']}, {line['credits']} cr)"
