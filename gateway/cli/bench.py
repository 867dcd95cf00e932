"""`tollgate bench`: one benchmark with its baseline in the same run."""

import sys

import click

from gateway.bench import program


@click.command("bench")
@click.argument("name", type=click.Choice(program.NAMES))
@click.option("--json", "as_json", is_flag=True, help="Print one object for a machine.")
@click.option("--quick", is_flag=True, help="Fewer and shorter runs, for a look.")
def command(*, name: str, as_json: bool, quick: bool) -> None:
    """Measure one part of the gateway beside its bare component; exit status 0 only if every target held."""
    sys.exit(program.run(name, as_json=as_json, quick=quick))
