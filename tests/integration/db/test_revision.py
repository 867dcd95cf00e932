"""Which revision is needed and which one is there, without Alembic."""

import asyncio
import os
import sys
from importlib.resources import files

import asyncpg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from gateway.cli.postgres_health import postgres_findings
from gateway.db.engine import sqlalchemy_url
from gateway.db.migrate import migrate
from gateway.db.revision import current_revision, mismatch, newest_revision, refuse_older
from gateway.embedded.databases import create_database, drop_database
from gateway.errors import ConfigurationError


async def stand_at(url, revision):
    """Let an empty database say that it has a revision's schema."""
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE alembic_version (version_num text)")
    await connection.execute("INSERT INTO alembic_version VALUES ($1)", revision)
    await connection.close()


async def test_the_newest_revision_is_the_one_that_migrations_lead_to(database_url):
    """Alembic follows `down_revision`, we the files' names: a readiness for another never comes."""
    config = Config()
    config.set_main_option("script_location", str(files("gateway.db").joinpath("migrations")))
    head = ScriptDirectory.from_config(config).get_current_head()
    assert newest_revision() == head
    assert await current_revision(database_url) == (head, head)


async def test_a_database_without_a_schema_has_no_revision(stores):
    """Readiness names `tollgate migrate` then."""
    name = f"tollgate_unmigrated_{os.getpid()}"
    url = await create_database(stores.database_url, name)
    try:
        assert await current_revision(url) == (None, newest_revision())
    finally:
        await drop_database(stores.database_url, name)


@pytest.mark.parametrize("roles", [("api",), ("api", "--workers", "2"), ("scheduler", "webhooks")])
async def test_no_role_begins_on_a_schema_that_is_older(stores, redis_url, roles):
    """It would look well and fail at every statement; a rolling deploy has to stop at its first process."""
    name = f"tollgate_older_{os.getpid()}"
    url = await create_database(stores.database_url, name)
    try:
        await stand_at(url, "0001")
        settings = {
            "DATABASE_URL": url,
            "REDIS_URL": redis_url,
            "TOLLGATE_OPERATOR_KEY": "operator-key-for-tests",
            "TOLLGATE_SECRET_KEY": "secret-key-for-tests",
            "TOLLGATE_PORT": "0",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", "serve", *roles, env=settings, stderr=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(60):
                _, said = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 1
        assert said.decode().splitlines() == [f"Error: {mismatch('0001', newest_revision())}"]
    finally:
        await drop_database(stores.database_url, name)


async def test_a_database_of_a_newer_version_is_left_as_it_is(stores):
    """A roll-back of the code does not roll back the schema, and `tollgate migrate` is no way out of it."""
    name = f"tollgate_newer_{os.getpid()}"
    url = await create_database(stores.database_url, name)
    try:
        await stand_at(url, "9999")
        with pytest.raises(ConfigurationError, match="at 9999, newer than this code's"):
            await migrate(sqlalchemy_url(url))
        assert await current_revision(url) == ("9999", newest_revision())
        await refuse_older(url)  # while versions roll over, the older one is started again, too
        schema = next(each for each in await postgres_findings(url) if each.subject == "Postgres schema")
        assert not schema.held
        assert "newer" in schema.said
        assert "migrate`" not in schema.way_out
    finally:
        await drop_database(stores.database_url, name)


def test_what_a_mismatch_asks_for_is_said_by_which_side_is_older():
    """Readiness, the doctor and migrate say the same."""
    assert mismatch("0054", "0054") is None
    assert (mismatch("0001", "0054") or "").endswith("run `tollgate migrate`")
    assert "at nothing" in (mismatch(None, "0054") or "")
