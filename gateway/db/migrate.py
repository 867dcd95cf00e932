"""Brings the schema up to date; safe to run from many processes at once."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from gateway.db.revision import is_newer, mismatch, newest_revision
from gateway.errors import ConfigurationError

_LOCK = 7_204_051
"""Advisory lock number of migrations; any constant that nothing else uses."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("gateway.db").joinpath("migrations")))
    return config


def _upgrade(connection: Connection) -> tuple[str | None, str | None]:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    connection.execute(text("SET LOCAL lock_timeout = '10s'"))
    before = MigrationContext.configure(connection).get_current_revision()
    if is_newer(before, newest_revision()):
        raise ConfigurationError(mismatch(before, newest_revision()) or "")
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return before, ScriptDirectory.from_config(config).get_current_head()


async def migrate(sqlalchemy_url: str) -> tuple[str | None, str | None]:
    """
    Run every outstanding revision in one transaction under an advisory lock.

    Args:
        sqlalchemy_url: `postgresql+asyncpg://…` of a role that may create roles and tables.

    Returns the revision before and after; equal when there was nothing to do.

    Raises:
        ConfigurationError: A newer version of the gateway has migrated it; nothing is changed.
    """
    engine = create_async_engine(sqlalchemy_url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()
