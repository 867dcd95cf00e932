"""`tollgate migrate`: the schema, the first AWS route and the example prices."""

import os

import click

from gateway.cli.on_stores import run_on_stores
from gateway.db.engine import sqlalchemy_url
from gateway.db.migrate import migrate
from gateway.settings import Settings, read_settings
from gateway.telemetry.logs import configure
from gateway.wiring.provisioning import prepare_database


@click.command("migrate")
def command() -> None:
    """
    Bring the database up to date; safe to run again, and from many places at once.

    Needs only DATABASE_URL of a role that may create roles and tables, and the two keys.
    """
    settings = read_settings(os.environ, redis_url="redis://127.0.0.1:6379/0")
    configure("console", "warning")
    run_on_stores(_migrate(settings))


async def _migrate(settings: Settings) -> None:
    before, after = await migrate(sqlalchemy_url(settings.database_url))
    if before == after:
        click.echo(f"The schema is up to date (revision {after}).")
    else:
        click.echo(f"Migrated the schema from {before or 'nothing'} to revision {after}.")
    await prepare_database(settings)
    click.echo("The first AWS route and the price book are in place.")
