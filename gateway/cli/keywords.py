"""`tollgate keywords`: what people may write, and what is answered."""

from typing import Final

import click

from gateway.cli.calling import field, over_the_api, show_one, show_rows
from gateway.client import Client, path_of

_KEYWORD: Final = (
    field("id"),
    field("word"),
    field("country"),
    field("action"),
    field("list"),
    field("reply"),
    field("registered"),
)
_TEXT: Final = (field("keyword"), field("language"), field("text"))
_BUILT_IN: Final = (field("keyword"), field("text"))


@click.group("keywords")
def command() -> None:
    """List and change keywords; word what STOP, HELP and JOIN answer."""


@command.command("list")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@over_the_api
def list_keywords(client: Client, *, limit: int) -> None:
    """List your own keywords; STOP, HELP and JOIN are always there."""
    show_rows(client.rows(path_of("keywords"), limit=limit), _KEYWORD, empty="There are none of your own.")


@command.command("built-in")
@over_the_api
def built_in(client: Client) -> None:
    """Show what STOP, HELP and JOIN answer."""
    show_rows(client.get(path_of("keywords", "built-in"))["data"], _BUILT_IN, empty="")


@command.command("add")
@click.argument("word")
@click.option("--reply", help="What is answered; {brand} stands for your name.")
@click.option("--action", type=click.Choice(["reply", "opt_out", "opt_in", "help"]), default="reply")
@click.option("--country", help="Where it counts, by the person's number.")
@click.option("--list", "list_name", help="The opt-out list that it changes.")
@over_the_api
def add(
    client: Client,
    *,
    word: str,
    reply: str | None,
    action: str,
    country: str | None,
    list_name: str | None,
) -> None:
    """Add a keyword."""
    given = {"reply": reply, "country": country, "list": list_name}
    body = {"word": word, "action": action} | {name: each for name, each in given.items() if each is not None}
    show_one(client.post(path_of("keywords"), body), _KEYWORD)


@command.command("remove")
@click.argument("keyword")
@over_the_api
def remove(client: Client, *, keyword: str) -> None:
    """Remove a keyword by its id."""
    client.call("DELETE", path_of("keywords", keyword))
    click.echo("Removed.")


@command.command("text")
@click.argument("keyword", type=click.Choice(["STOP", "HELP", "JOIN"], case_sensitive=False))
@click.argument("text")
@click.option("--language", default="all", show_default=True, help="Such as es or zh-Hant.")
@over_the_api
def text(client: Client, *, keyword: str, text: str, language: str) -> None:
    """Set what STOP, HELP or JOIN answers."""
    path = path_of("keywords", "built-in", keyword, "texts", language)
    done = client.call("PUT", path, {"text": text}).body
    show_one(done, _TEXT)
    for each in done["notices"]:
        click.echo(f"  note: {each['detail']}", err=True)
