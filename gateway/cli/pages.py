"""`tollgate pages`: a tenant's hosted pages, by its own key or the operator's."""

import json
from pathlib import Path
from typing import Any, Final

import click

from gateway.cli.calling import field, over_the_api, show_one
from gateway.cli.text_file import text_of
from gateway.client import Client, path_of

_PAGES: Final = (
    field("settings", "brand"),
    field("terms"),
    field("privacy"),
    field("opt_in", title="opt-in"),
    field("preferences"),
    field("paper_form"),
    field("verbal_script"),
    field("embed"),
)
_TENANT: Final = click.option("--tenant", help="ten_…; needs the operator key.")


@click.group("pages")
def command() -> None:
    """Show and set terms, privacy policy, opt-in and preference pages."""


@command.command("show")
@_TENANT
@over_the_api
def show(client: Client, *, tenant: str | None) -> None:
    """Show where the pages are; --json with what they are written from."""
    show_one(client.get(_home(tenant)), _PAGES)


@command.command("set")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_TENANT
@over_the_api
def put(client: Client, *, file: Path, tenant: str | None) -> None:
    """Write the pages from FILE, a JSON object as `show --json` has it under `settings`."""
    try:
        settings: Any = json.loads(text_of(file))
    except ValueError as error:
        raise click.UsageError(f"{file} is not JSON: {error}") from error
    show_one(client.call("PUT", _home(tenant), settings).body, _PAGES, before="They are public from now on.")


def _home(tenant: str | None) -> str:
    return path_of("hosted-pages") if tenant is None else path_of("admin", "tenants", tenant, "hosted-pages")
