"""`tollgate tenants export`: everything of a tenant as one file."""

import sys

import click

from gateway.cli.calling import over_the_api
from gateway.cli.whole_file import whole_file
from gateway.client import Client, path_of


@click.command("export")
@click.argument("tenant")
@click.option("--to", "target", required=True, help="A ZIP file; - for stdout.")
@over_the_api
def export(client: Client, *, tenant: str, target: str) -> None:
    """Hand a tenant's data over as a ZIP of JSON Lines; it stands under its name only when it is whole."""
    path = path_of("admin", "tenants", tenant, "export")
    if target == "-":
        client.download_posted(path, sys.stdout.buffer)
        return
    with whole_file(target) as file:
        client.download_posted(path, file)
    click.echo(f"Written to {target}. It holds numbers and texts in the clear: keep it so.", err=True)
